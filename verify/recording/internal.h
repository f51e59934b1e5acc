/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the fields of one event come from: text payload, or a record of trace.dat and its format. */
#ifndef DMASIM_RECORDING_INTERNAL_H
#define DMASIM_RECORDING_INTERNAL_H

#include "recording.h"

struct tep_event;
struct tep_record;
struct event_row;

struct field_source {
	const char *payload; /* NULL: event and record are set */
	struct tep_event *event;
	struct tep_record *record;
};

const struct event_row *recording_row(const char *name, size_t len, bool probe);
bool recording_decode(struct recording *r, const struct event_row *row, const struct field_source *s,
		      struct recording_event *e);

/* key: in text; field: in the format description. NULL where a source does not have it. */
bool source_u64(const struct field_source *s, const char *key, const char *field, int base, uint64_t *v);
bool source_has(const struct field_source *s, const char *key, const char *field);
bool source_list(struct recording *r, const struct field_source *s, const char *key, const char *field,
		 struct recording_list *l);
/* First word of the text; string field of the record. */
bool source_device(struct recording *r, const struct field_source *s, const char *field, uint32_t *name);
/* A name in quotes behind key in the text, a string field of the record; false if there is none. */
bool source_name(struct recording *r, const struct field_source *s, const char *key, uint32_t *name);
bool source_string(const struct field_source *s, const char *field, char *buf, size_t size);
bool source_bytes(const struct field_source *s, const char *field, uint8_t *buf, size_t n);
uint64_t source_le(const uint8_t *p, unsigned n);

/*
 * Value of key in a payload of key=value pairs: the character behind "key=", where key starts a word.
 * NULL if there is none.
 */
const char *text_value(const char *payload, const char *key);
/* Unsigned number at s (base 10; 16 with or without 0x); *end behind it, may be NULL. false if none. */
bool text_number(const char *s, int base, uint64_t *value, const char **end);
/* The two in one. */
bool text_field(const char *payload, const char *key, int base, uint64_t *value);
/* Number right behind the first word in s. */
bool text_after(const char *s, const char *word, int base, uint64_t *value);

/* requests.c: payloads of requests' events. */
bool recording_decode_nvme_head(struct recording *r, const struct field_source *s, struct recording_event *e);
bool recording_decode_nvme_setup(struct recording *r, const struct field_source *s,
				 struct recording_event *e);
bool recording_decode_vectors(struct recording *r, const struct field_source *s, struct recording_event *e);
bool recording_decode_block_issue(struct recording *r, const struct field_source *s,
				  struct recording_event *e);
bool recording_decode_block_complete(struct recording *r, const struct field_source *s,
				     struct recording_event *e);
bool recording_decode_block_split(struct recording *r, const struct field_source *s,
				  struct recording_event *e);

#endif
