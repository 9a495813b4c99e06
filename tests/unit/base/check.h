/*
 * check.h - cmocka with what it wants included first.
 */
#ifndef LIMPET_TEST_CHECK_H
#define LIMPET_TEST_CHECK_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#endif
