/*
 * host.c - a program that is not Go and has Go inside: shared libraries given as arguments, or an
 * archive that was linked in.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#ifdef ARCHIVE
int MatrixStart(void);
#endif

int main(int argc, char **argv)
{
#ifdef ARCHIVE
	if (argc > 100 || !argv || MatrixStart() != 42)
		return 1;
#else
	for (int i = 1; i < argc; i++) {
		void *lib = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
		int (*start)(void) = lib ? (int (*)(void))dlsym(lib, "MatrixStart") : NULL;

		if (!start) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
		if (start() != 42)
			return 1;
	}
#endif
	for (;;)
		pause();
}
