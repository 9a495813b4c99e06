/*
 * go_dwarf.S - DWARF as Go writes it, in two units: version 4 at 0x400000 and version 5 at 0x500000.
 *
 * The forms are those of cmd/internal/dwarf (abbrevs); there is no code at these addresses.
 * Linked into a test, and alone a seed for fuzz_dwarf:  cc -nostdlib -static -Wl,-e0 go_dwarf.S
 */
	.macro str s
	.asciz "\s"
	.endm

/* expressions, as DW_FORM_block1 */
	.macro cfa			/* at the frame's end */
	.byte 1, 0x9c
	.endm
	.macro fbreg off		/* below it; one byte of SLEB128 */
	.byte 2, 0x91
	.sleb128 \off
	.endm
	.macro moved off		/* on the heap: the word there points at it */
	.byte 5, 0x9c, 0x11
	.sleb128 \off
	.byte 0x22, 0x06
	.endm
	.macro at addr
	.byte 9, 0x03
	.quad \addr
	.endm

	.macro abbrev code, tag, children
	.uleb128 \code, \tag
	.byte \children
	.endm
	.macro attr name, form
	.uleb128 \name, \form
	.endm

	.set BASE_ADDR, 0x01
	.set BLOCK1, 0x0a
	.set DATA1, 0x0b
	.set STRING, 0x08
	.set UDATA, 0x0f
	.set REF_ADDR, 0x10
	.set SEC_OFFSET, 0x17
	.set FLAG, 0x0c

	.section .debug_abbrev, "", @progbits
.Labbrev:
	abbrev 1, 0x11, 1	/* compile_unit */
	attr 0x03, STRING
	attr 0x13, DATA1
	attr 0x11, BASE_ADDR
	attr 0x55, SEC_OFFSET
	attr 0, 0
	abbrev 2, 0x2e, 1	/* subprogram */
	attr 0x03, STRING
	attr 0x11, BASE_ADDR
	attr 0x12, BASE_ADDR
	attr 0x40, BLOCK1
	attr 0, 0
	abbrev 3, 0x05, 0	/* formal_parameter */
	attr 0x03, STRING
	attr 0x3b, UDATA
	attr 0x49, REF_ADDR
	attr 0x02, BLOCK1
	attr 0, 0
	abbrev 4, 0x34, 0	/* variable */
	attr 0x03, STRING
	attr 0x3b, UDATA
	attr 0x49, REF_ADDR
	attr 0x02, BLOCK1
	attr 0, 0
	abbrev 5, 0x34, 0	/* variable, location list */
	attr 0x03, STRING
	attr 0x3b, UDATA
	attr 0x49, REF_ADDR
	attr 0x02, SEC_OFFSET
	attr 0, 0
	abbrev 6, 0x0b, 1	/* lexical_block */
	attr 0x11, BASE_ADDR
	attr 0x12, BASE_ADDR
	attr 0, 0
	abbrev 7, 0x2e, 1	/* subprogram, abstract */
	attr 0x03, STRING
	attr 0x20, DATA1
	attr 0, 0
	abbrev 8, 0x34, 0	/* variable, abstract */
	attr 0x03, STRING
	attr 0x3b, UDATA
	attr 0x49, REF_ADDR
	attr 0, 0
	abbrev 9, 0x1d, 1	/* inlined_subroutine */
	attr 0x31, REF_ADDR
	attr 0x11, BASE_ADDR
	attr 0x12, BASE_ADDR
	attr 0, 0
	abbrev 10, 0x34, 0	/* variable, concrete */
	attr 0x31, REF_ADDR
	attr 0x02, BLOCK1
	attr 0, 0
	abbrev 11, 0x13, 1	/* structure_type */
	attr 0x03, STRING
	attr 0x0b, UDATA
	attr 0x2900, DATA1
	attr 0x2904, BASE_ADDR
	attr 0, 0
	abbrev 12, 0x0d, 0	/* member */
	attr 0x03, STRING
	attr 0x38, UDATA
	attr 0x49, REF_ADDR
	attr 0x2903, FLAG
	attr 0, 0
	abbrev 13, 0x0f, 0	/* pointer_type */
	attr 0x03, STRING
	attr 0x49, REF_ADDR
	attr 0x2900, DATA1
	attr 0x2904, BASE_ADDR
	attr 0, 0
	abbrev 14, 0x24, 0	/* base_type */
	attr 0x03, STRING
	attr 0x3e, DATA1
	attr 0x0b, DATA1
	attr 0x2900, DATA1
	attr 0, 0
	abbrev 15, 0x34, 0	/* variable, captured */
	attr 0x03, STRING
	attr 0x49, REF_ADDR
	attr 0x2907, UDATA
	attr 0x02, BLOCK1
	attr 0, 0
	abbrev 16, 0x16, 0	/* typedef that only repeats a name */
	attr 0x03, STRING
	attr 0x49, REF_ADDR
	attr 0, 0
	abbrev 17, 0x16, 0	/* typedef, map */
	attr 0x03, STRING
	attr 0x49, REF_ADDR
	attr 0x2900, DATA1
	attr 0x2901, REF_ADDR
	attr 0x2902, REF_ADDR
	attr 0, 0
	abbrev 18, 0x01, 1	/* array_type */
	attr 0x03, STRING
	attr 0x49, REF_ADDR
	attr 0x0b, UDATA
	attr 0x2900, DATA1
	attr 0, 0
	abbrev 19, 0x21, 0	/* subrange_type */
	attr 0x37, UDATA
	attr 0, 0
	abbrev 20, 0x16, 0	/* typedef of a type parameter */
	attr 0x03, STRING
	attr 0x49, REF_ADDR
	attr 0x2906, UDATA
	attr 0, 0
	.byte 0

	.macro unit v, base, ranges, locs
	.section .debug_info, "", @progbits
	.long .Lend\v - .Lbegin\v
.Lbegin\v:
	.short \v
	.if \v == 5
	.byte 1, 8
	.long .Labbrev
	.else
	.long .Labbrev
	.byte 8
	.endif
	.uleb128 1
	str "main"
	.byte 0x16		/* DW_LANG_Go */
	.quad 0
	.long \ranges

.Lint\v:
	.uleb128 14
	str "int"
	.byte 5, 8, 2
.LT\v:
	.uleb128 11
	str "main.T"
	.uleb128 24
	.byte 25
	.quad \base + 0x800
	.uleb128 12
	str "next"
	.uleb128 0
	.long .LptrT\v
	.byte 0
	.uleb128 12
	str "Inner"
	.uleb128 8
	.long .Larray\v
	.byte 1
	.byte 0
.LptrT\v:
	.uleb128 13
	str "*main.T"
	.long .LT\v
	.byte 22
	.quad \base + 0x900
.Larray\v:
	.uleb128 18
	str "[2]int"
	.long .Lint\v
	.uleb128 16
	.byte 17
	.uleb128 19, 2
	.byte 0
.Lalias\v:
	.uleb128 16
	str "main.Alias"
	.long .LT\v
.Lparam\v:
	.uleb128 20
	str ".param0"
	.long .LT\v
	.uleb128 0
.Lloop\v:			/* an alias of itself: a lie */
	.uleb128 16
	str "main.Loop"
	.long .Lloop\v
.Lmap\v:
	.uleb128 17
	str "map[int]*main.T"
	.long .LptrT\v
	.byte 21
	.long .Lint\v
	.long .LptrT\v

	.uleb128 4
	str "main.cache"
	.uleb128 1
	.long .Lmap\v
	at \base + 0xf00
	.uleb128 4
	str "main.nowhere"
	.uleb128 1
	.long .Lint\v
	cfa

.Lhelper\v:
	.uleb128 7
	str "main.helper"
	.byte 1
.Lh\v:
	.uleb128 8
	str "h"
	.uleb128 30
	.long .LptrT\v
	.byte 0

	.uleb128 2
	str "main.handler"
	.quad \base + 0x100, \base + 0x200
	cfa
	.uleb128 3
	str "sess"
	.uleb128 7
	.long .LptrT\v
	cfa
	.uleb128 4
	str "local"
	.uleb128 8
	.long .Lalias\v
	fbreg -24
	.uleb128 4
	str "big"
	.uleb128 9
	.long .LT\v
	moved -40
	.uleb128 5
	str "parts"
	.uleb128 10
	.long .Larray\v
	.long \locs
	.uleb128 6
	.quad \base + 0x120, \base + 0x160
	.uleb128 4
	str "local"
	.uleb128 11
	.long .Lparam\v
	fbreg -48
	.uleb128 9
	.long .Lhelper\v
	.quad \base + 0x150, \base + 0x158
	.uleb128 10
	.long .Lh\v
	fbreg -64
	.byte 0
	.byte 0
	.byte 0

	.uleb128 2
	str "main.handler.func1"
	.quad \base + 0x200, \base + 0x240
	cfa
	.uleb128 15
	str "n"
	.long .Lint\v
	.uleb128 8
	fbreg -16
	.uleb128 15
	str "&m"
	.long .LptrT\v
	.uleb128 16
	moved -24
	.uleb128 4
	str "own"
	.uleb128 20
	.long .Lint\v
	fbreg -32
	.byte 0
	.byte 0
.Lend\v:
	.endm

/* 8 bytes in register 3, then 8 in the frame */
	.macro piecewise
	.byte 0x53, 0x93, 8, 0x91
	.sleb128 -56
	.byte 0x93, 8
	.endm

	unit 4, 0x400000, .Lranges4, .Llocs4
	unit 5, 0x500000, .Lranges5, .Llocs5

	.section .debug_ranges, "", @progbits
.Lranges4:
	.quad 0x400000, 0x401000, 0, 0
	.section .debug_loc, "", @progbits
.Llocs4:
	.quad 0x400100, 0x400140
	.short 7
	piecewise
	.quad 0, 0

	.section .debug_rnglists, "", @progbits
	.long .Lranges_end - .Lranges_begin
.Lranges_begin:
	.short 5
	.byte 8, 0
	.long 0
.Lranges5:
	.byte 6			/* DW_RLE_start_end */
	.quad 0x500000, 0x501000
	.byte 0
.Lranges_end:
	.section .debug_loclists, "", @progbits
	.long .Llocs_end - .Llocs_begin
.Llocs_begin:
	.short 5
	.byte 8, 0
	.long 0
.Llocs5:
	.byte 7			/* DW_LLE_start_end */
	.quad 0x500100, 0x500140
	.uleb128 7
	piecewise
	.byte 0
.Llocs_end:
	.section .note.GNU-stack, "", @progbits
