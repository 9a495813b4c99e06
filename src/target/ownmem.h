/*
 * ownmem.h - that limpet's own hunger never makes the kernel kill somebody.
 *
 * The broker looks at what the machine, and the cgroup that limpet itself is in, have left.  When
 * that is too little, the asker is told by a signal, and ends at once with words and exit code 5.
 * A limit that is set beforehand would have to refuse what is reserved and never touched, and
 * cannot take back what others use meanwhile.
 */
#ifndef LIMPET_TARGET_OWNMEM_H
#define LIMPET_TARGET_OWNMEM_H

#include "target/cgroup.h"

#include <signal.h>

/* "Too little is left." */
#define OWNMEM_SIGNAL SIGUSR2

struct ownmem {
	struct cgroup cgroup;
	pid_t pid; /* who is watched; 0: nobody any more */
	uint64_t floor_bytes;
	unsigned ncpus;
};

void ownmem_init(struct ownmem *m, pid_t pid);

/* Look; returns after how many ms to look again, -1: never. */
int ownmem_look(struct ownmem *m);

/* First to die if the kernel must choose between us and a service; not before a twin. */
void ownmem_offer_self(void);

#endif
