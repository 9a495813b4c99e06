/*
 * broker_wire.h - what goes between asker and broker; private to target/.
 *
 * One packet a question, one an answer, over SOCK_SEQPACKET: both ends are the same program, so
 * structs go as they are.  The broker believes nothing of a question but its own numbers.
 */
#ifndef LIMPET_TARGET_BROKER_WIRE_H
#define LIMPET_TARGET_BROKER_WIRE_H

#include "base/files.h"
#include "target/take.h"

#define BROKER_PATH 4096
#define BROKER_NFDS TAKE_NFDS /* as many as any answer has */

enum broker_op {
	BROKER_PID,
	BROKER_LOOK,
	BROKER_PEEK,
	BROKER_FINISH,
	BROKER_FREE,
	BROKER_FILE,
	BROKER_RUNNING,
	BROKER_PULSE,
};

struct broker_question {
	uint32_t op;
	uint32_t look; /* BROKER_PEEK, BROKER_FINISH, BROKER_FREE */
	uint32_t file_op;
	uint32_t has_path;
	uint64_t addr; /* BROKER_PEEK */
	char path[BROKER_PATH], to[BROKER_PATH];
};

struct broker_answer {
	uint32_t failed; /* err is filled */
	uint32_t look;	 /* BROKER_LOOK: its number */
	int32_t value;	 /* BROKER_FILE: 0 or -1 where no descriptor comes */
	int32_t no;	 /* errno of it */
	int32_t pid;
	uint32_t fds;  /* bit i: fd i comes with it */
	uint64_t word; /* BROKER_PEEK */
	struct err err;
	struct target_pulse pulse;
	struct stat st;
	char path[BROKER_PATH]; /* FILE_TEMP */
	struct taken taken;
};

/* Both true when a whole packet went or came; a descriptor that did not come is -1. */
bool wire_send(int sock, const void *packet, size_t nbytes, const int fds[static BROKER_NFDS]);
bool wire_receive(int sock, void *packet, size_t nbytes, int fds[static BROKER_NFDS]);

/* The broker's life; never returns. */
struct broker_opts;
_Noreturn void broker_main(const struct broker_opts *o, int sock, pid_t asker);

#endif
