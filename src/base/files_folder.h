/*
 * files_folder.h - a folder of JSON files as one file: what -gcflags=-json=0,DIR leaves.
 */
#ifndef LIMPET_BASE_FILES_FOLDER_H
#define LIMPET_BASE_FILES_FOLDER_H

/*
 * The *.json files in a folder and in those directly below it, one behind the other, in memory: a
 * descriptor, or -1 and errno (EISDIR: there are none).  Links are not followed; beyond a limit
 * the last line is {"limpet-cut":true}.  dir: of the folder, ours now.
 */
int folder_gather(int dir);

#endif
