/*
 * logline.h - one line to syslog, and never a wait for who does not read it.
 */
#ifndef LIMPET_BASE_LOGLINE_H
#define LIMPET_BASE_LOGLINE_H

#include "base/mem.h"

/*
 * As syslog(3) with LOG_USER where priority names no facility, the name limpet and our pid.  A syslogd whose queue stays full for
 * half a second, or that is not there, gets nothing: the program under study comes first.
 */
void log_line(int priority, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
