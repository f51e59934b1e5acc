/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flush queue of a lazy domain (first third of drivers/iommu/dma-iommu.c). */
#ifndef DMASIM_FLUSH_QUEUE_H
#define DMASIM_FLUSH_QUEUE_H

#include "iommu.h"

struct fq_entry {
	uint64_t iova_pfn, pages, counter;
	struct pgtable_list freelist;
};

struct fq_ring {
	struct spinlock lock;
	unsigned head, tail;
	struct fq_entry *entries;
};

struct flush_queue {
	struct iommu_domain *domain;
	unsigned size; /* of one ring, a power of two */
	uint64_t start_count, finish_count;
	bool timer_on;
	struct event timer;
	struct cpu_work work;
	struct cpu *timer_cpu;
	struct fq_ring rings[]; /* per CPU */
};

#endif
