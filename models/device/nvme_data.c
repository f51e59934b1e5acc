/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NVMe controller's data path: PRP entries and lists (NVM Express base specification 2.0, 4.1.1),
 * SGL descriptors and segments (4.1.2), and the transfers themselves.
 */
#include "internal.h"

#include <string.h>

/* Ranges that follow each other on the bus are one transfer; it is split again at pages by the fabric. */
static void add_range(struct ctrl_command *cmd, dma_addr_t addr, uint64_t len)
{
	struct nvme_range *last;

	if (cmd->nranges == 0) {
		cmd->first = (struct nvme_range){addr, len};
		cmd->nranges = 1;
		return;
	}
	last = cmd->nranges == 1 ? &cmd->first : &cmd->ranges[cmd->nranges - 2];
	if (last->addr + last->len == addr) {
		last->len += len;
		return;
	}
	if (cmd->nranges > cmd->room) {
		cmd->room = MAX(16, 2 * cmd->room);
		cmd->ranges = g_renew(struct nvme_range, cmd->ranges, cmd->room);
	}
	cmd->ranges[cmd->nranges++ - 1] = (struct nvme_range){addr, len};
}

/* Read part of a list from host memory; false when the command failed. */
static bool read_list(struct nvme_ctrl *c, struct ctrl_command *cmd, dma_addr_t addr, void *dst, uint64_t len,
		      sim_time_t *when)
{
	struct pcie_dma d = {
	    .fn = c->fn, .op = PCIE_READ, .addr = addr, .len = len, .pasid = NO_PASID, .data = dst};

	c->st->fetched_lists++;
	if (pcie_dma(&d, *when)) {
		cmd->status = NVME_SC_DATA_XFER_ERROR;
		return false;
	}
	*when = d.done;
	return true;
}

static sim_time_t prp_list(struct nvme_ctrl *c, struct ctrl_command *cmd, dma_addr_t list, uint64_t left,
			   sim_time_t when)
{
	uint64_t entries[NVME_PAGE_SIZE / sizeof(uint64_t)];

	while (left) {
		unsigned room = (unsigned)((NVME_PAGE_SIZE - list % NVME_PAGE_SIZE) / sizeof(uint64_t));
		uint64_t need = div_round_up(left, NVME_PAGE_SIZE);
		unsigned n = (unsigned)MIN(need, room);
		/* The last slot of a full list page links to the next one when more must follow. */
		bool link = need > room;

		if (list % sizeof(uint64_t)) {
			cmd->status = NVME_SC_PRP_OFFSET_INVALID;
			return when;
		}
		if (!read_list(c, cmd, list, entries, n * sizeof(uint64_t), &when))
			return when;
		for (unsigned i = 0; i < n - link; i++) {
			uint64_t len = MIN(left, NVME_PAGE_SIZE);

			if (entries[i] % NVME_PAGE_SIZE) {
				cmd->status = NVME_SC_PRP_OFFSET_INVALID;
				return when;
			}
			add_range(cmd, entries[i], len);
			left -= len;
		}
		if (link)
			list = entries[n - 1];
	}
	return when;
}

static sim_time_t prps(struct nvme_ctrl *c, struct ctrl_command *cmd, const struct nvme_command *sqe,
		       sim_time_t when)
{
	uint64_t len = MIN(cmd->bytes, NVME_PAGE_SIZE - sqe->prp1 % NVME_PAGE_SIZE);
	uint64_t left = cmd->bytes - len;

	add_range(cmd, sqe->prp1, len);
	if (left == 0)
		return when;
	if (left > NVME_PAGE_SIZE)
		return prp_list(c, cmd, sqe->prp2, left, when);
	if (sqe->prp2 % NVME_PAGE_SIZE)
		cmd->status = NVME_SC_PRP_OFFSET_INVALID;
	add_range(cmd, sqe->prp2, left);
	return when;
}

static sim_time_t sgls(struct nvme_ctrl *c, struct ctrl_command *cmd, const struct nvme_command *sqe,
		       sim_time_t when)
{
	struct nvme_sgl_desc desc[NVME_PAGE_SIZE / sizeof(struct nvme_sgl_desc)];
	struct nvme_sgl_desc at = sqe->sgl;
	uint64_t total = 0;

	while (at.type == NVME_SGL_SEGMENT || at.type == NVME_SGL_LAST_SEGMENT) {
		unsigned n = at.length / sizeof(*desc);
		bool last = at.type == NVME_SGL_LAST_SEGMENT;

		if (n == 0 || n > G_N_ELEMENTS(desc) || at.length % sizeof(*desc)) {
			cmd->status = NVME_SC_SGL_INVALID;
			return when;
		}
		if (!read_list(c, cmd, at.addr, desc, at.length, &when))
			return when;
		for (unsigned i = 0; i < n - !last; i++) {
			add_range(cmd, desc[i].addr, desc[i].length);
			total += desc[i].length;
		}
		at = last ? (struct nvme_sgl_desc){0} : desc[n - 1];
	}
	if (at.length) {
		add_range(cmd, at.addr, at.length);
		total += at.length;
	}
	if (total < cmd->bytes)
		cmd->status = NVME_SC_SGL_INVALID;
	return when;
}

/* The metadata pointer is the address of one descriptor: of the metadata, or of a last segment (4.1.2). */
static sim_time_t metadata_list(struct nvme_ctrl *c, struct ctrl_command *cmd, dma_addr_t addr,
				sim_time_t when)
{
	struct nvme_sgl_desc at, desc[NVME_META_RANGES];
	unsigned n = 1;
	uint64_t total = 0;

	if (!read_list(c, cmd, addr, &at, sizeof(at), &when))
		return when;
	desc[0] = at;
	if (at.type == NVME_SGL_LAST_SEGMENT) {
		n = at.length / sizeof(*desc);
		if (n == 0 || n > G_N_ELEMENTS(desc) || at.length % sizeof(*desc)) {
			cmd->status = NVME_SC_SGL_INVALID;
			return when;
		}
		if (!read_list(c, cmd, at.addr, desc, at.length, &when))
			return when;
	}
	if (!cmd->meta)
		cmd->meta = g_new(struct nvme_range, NVME_META_RANGES);
	for (unsigned i = 0; i < n; i++) {
		if (desc[i].type != NVME_SGL_DATA_BLOCK) {
			cmd->status = NVME_SC_SGL_INVALID;
			return when;
		}
		cmd->meta[i] = (struct nvme_range){desc[i].addr, desc[i].length};
		total += desc[i].length;
	}
	cmd->nmeta = n;
	if (total < cmd->metadata)
		cmd->status = NVME_SC_SGL_INVALID;
	return when;
}

sim_time_t nvme_data_pointer(struct nvme_ctrl *c, struct ctrl_command *cmd, const struct nvme_command *sqe,
			     sim_time_t when)
{
	if (!(sqe->flags & NVME_CMD_SGL_ALL))
		return prps(c, cmd, sqe, when);
	when = sgls(c, cmd, sqe, when);
	if ((sqe->flags & NVME_CMD_SGL_ALL) == NVME_CMD_SGL_METASEG && cmd->metadata && !cmd->status)
		when = metadata_list(c, cmd, sqe->mptr, when);
	return when;
}

/* The byte that pattern mode puts at position i of logical block lba. */
static uint8_t pattern_byte(uint64_t lba, uint64_t i)
{
	uint64_t x = (lba * 4096 + i) * 0x9e3779b97f4a7c15ull;

	return (uint8_t)(x >> 56);
}

void nvme_pattern_fill(uint64_t lba, uint64_t offset, uint8_t *data, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		data[i] = pattern_byte(lba, offset + i);
}

uint64_t nvme_pattern_check(uint64_t lba, uint64_t offset, const uint8_t *data, uint64_t len)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < len; i++)
		wrong += data[i] != pattern_byte(lba, offset + i);
	return wrong;
}

static void move(struct nvme_ctrl *c, struct ctrl_command *cmd, enum pcie_op op, dma_addr_t addr,
		 uint64_t len, uint8_t *data, sim_time_t when, struct nvme_moved *m)
{
	struct pcie_dma d = {
	    .fn = c->fn, .op = op, .addr = addr, .len = len, .pasid = NO_PASID, .data = data};

	if (pcie_dma(&d, when))
		cmd->status = NVME_SC_DATA_XFER_ERROR;
	m->done = MAX(m->done, d.done);
	m->sent = MAX(m->sent, d.accepted);
}

static void move_patterned(struct nvme_ctrl *c, struct ctrl_command *cmd, enum pcie_op op,
			   const struct nvme_range *r, uint64_t len, uint64_t at, sim_time_t when,
			   struct nvme_moved *m)
{
	uint8_t *data = g_malloc(len);

	if (op == PCIE_WRITE)
		nvme_pattern_fill(cmd->lba, at, data, len);
	move(c, cmd, op, r->addr, len, data, when, m);
	if (op == PCIE_READ && cmd->opcode == NVME_CMD_WRITE)
		c->st->mismatches += nvme_pattern_check(cmd->lba, at, data, len);
	g_free(data);
}

static void move_metadata(struct nvme_ctrl *c, struct ctrl_command *cmd, enum pcie_op op, sim_time_t when,
			  struct nvme_moved *m)
{
	uint64_t left = cmd->metadata;

	if (!cmd->nmeta) {
		move(c, cmd, op, cmd->mptr, left, NULL, when, m);
		return;
	}
	for (unsigned i = 0; i < cmd->nmeta && left; i++) {
		uint64_t len = MIN(cmd->meta[i].len, left);

		move(c, cmd, op, cmd->meta[i].addr, len, NULL, when, m);
		left -= len;
	}
}

struct nvme_moved nvme_move_data(struct nvme_ctrl *c, struct ctrl_command *cmd, enum pcie_op op,
				 sim_time_t when)
{
	struct nvme_moved m = {when, when};
	uint64_t left = cmd->bytes;

	for (unsigned i = 0; i < cmd->nranges && left && cmd->status == NVME_SC_SUCCESS; i++) {
		const struct nvme_range *r = i ? &cmd->ranges[i - 1] : &cmd->first;
		uint64_t len = MIN(r->len, left);

		if (c->p->pattern)
			move_patterned(c, cmd, op, r, len, cmd->bytes - left, when, &m);
		else
			move(c, cmd, op, r->addr, len, NULL, when, &m);
		left -= len;
	}
	if (cmd->metadata && cmd->status == NVME_SC_SUCCESS)
		move_metadata(c, cmd, op, when, &m);
	*(op == PCIE_READ ? &c->st->bytes_read : &c->st->bytes_written) += cmd->bytes - left;
	return m;
}
