"""Who survived, object by object, against the book that the program keeps on its own objects.

tests/goprogs/identity writes down address and serial number of each object that it has, and lets go and makes
others before, during and behind collections.  With one collection between two looks every object's fate has to
be the book's; with several what is certain has to be true, and what is true has to be among the survivors.
"""
import array
import collections
import os
import signal

import pytest

from procs import FULL, SLOW, Target, limpet, limpet_json

TINY, RECORD, MORPHED = 2, 5, 8
KINDS = 9
MINORS = ["1.27"] + [pytest.param(m, marks=pytest.mark.full) for m in ("1.22", "1.23", "1.24", "1.25", "1.26")]
OBJECTS = 1000000 if FULL else 100000

Object = collections.namedtuple("Object", "bytes first last fate type")


def next_round(target):
    at = len(target.lines)
    os.kill(target.pid, signal.SIGHUP)
    line, _ = target.wait_line("ROUND", seconds=120 * SLOW, after=at)
    return int(line.split()[2])


def read_book(path):
    """{address of the slot: serial}; RECORDs have a header in front of them."""
    book = array.array("Q")
    with open(path, "rb") as f:
        book.frombytes(f.read())
    slots, kinds = {}, collections.Counter(book[2::3])
    assert len(kinds) == KINDS, "a kind that the program does not have"
    for address, serial, kind in zip(book[0::3], book[1::3], book[2::3]):
        if kind == TINY:
            address &= ~15
            if slots.get(address, serial) != serial:
                serial = 0
        elif kind == RECORD:
            address &= ~63
        slots[address] = serial
    return slots


def read_objects(*looks):
    """{address: [Object]} of `limpet diff --objects`; looks count from 0."""
    found = collections.defaultdict(list)
    for line in limpet("diff", *looks, "--objects", "--quiet").stdout.splitlines():
        addr, size, fate, first, last, name = line.split("\t")
        found[int(addr, 16)].append(Object(int(size), int(first) - 1, int(last) - 1, fate, name))
    return found


def lives(books):
    """(address, first, last) of each booked object; not of tiny blocks of which the book knows too little."""
    for address in set().union(*books):
        serials = [b.get(address) for b in books]
        if 0 in serials:
            continue
        first = 0
        for j in range(len(books)):
            if j + 1 == len(books) or serials[j + 1] != serials[j]:
                if serials[j] is not None:
                    yield address, first, j
                first = j + 1


def take(target, folder, looks, cycles, last_live=False):
    paths = []
    for k in range(1, looks + 1):
        before = len(paths) and collections_then
        collections_then = next_round(target)
        assert not paths or collections_then == before + cycles
        if k == looks and last_live:
            paths.append(target.pid)
        else:
            paths.append(folder / f"look{k}.limpet")
            limpet("snapshot", target.pid, "-o", paths[-1])
    return paths


@pytest.fixture(scope="module", params=MINORS)
def one_cycle(request, tmp_path_factory):
    """One collection between looks: (books, objects, the diff's own sums)"""
    folder = tmp_path_factory.mktemp("identity")
    with Target("identity", request.param, args=(folder, OBJECTS, 1)) as t:
        paths = take(t, folder, 3, 1, last_live=True)
        objects = read_objects(*paths)
        answer = limpet_json("diff", *paths)
    books = [read_book(folder / f"look.{k}") for k in (1, 2, 3)]
    yield books, objects, answer
    for f in folder.iterdir():
        f.unlink()


def test_every_object_has_the_fate_that_the_book_says(one_cycle):
    books, objects, _ = one_cycle
    n, wrong = 0, []
    for address, first, last in lives(books):
        n += 1
        if not any(o.first == first and o.last == last for o in objects.get(address, ())):
            wrong.append((hex(address), first, last, objects.get(address)))
    assert not wrong, f"{len(wrong)} of {n}: {wrong[:5]}"
    assert n > OBJECTS


def test_nothing_is_maybe_with_one_collection(one_cycle):
    _, objects, answer = one_cycle
    assert answer["exact"] and answer["cycles"] == 2
    assert not any("maybe" in o.fate for found in objects.values() for o in found)


def test_the_program_is_one_that_could_tell(one_cycle):
    """Slots were used again in one collection's time, and memory was cut anew for other sizes."""
    books, objects, _ = one_cycle
    for old, new in zip(books, books[1:]):
        assert sum(1 for a, s in old.items() if new.get(a, s) != s) > OBJECTS // 100
        assert sum(1 for a, s in old.items() if new.get(a) == s) > OBJECTS // 10
    sizes = [collections.defaultdict(set) for _ in range(3)]
    for address, found in objects.items():
        for o in found:
            for j in range(o.first, o.last + 1):
                sizes[j][address >> 13].add(o.bytes)
    cut_anew = sum(1 for page, old in sizes[0].items() if page in sizes[2] and not old & sizes[2][page])
    assert cut_anew >= 3  # how often is the runtime's affair; what it is, the other tests look at


def test_sums_are_those_of_the_objects(one_cycle):
    _, objects, answer = one_cycle
    everyone = [o for found in objects.values() for o in found]
    for j, look in enumerate(answer["looks"]):
        assert abs(look["objects"] - sum(1 for o in everyone if o.first <= j <= o.last)) <= 64 * (j == 2)
    survived = [o for o in everyone if o.first == 0 and o.last == 2]
    # the third look is another instant of the same pause, at which the program stands still
    assert answer["total"]["survived"] == len(survived)
    by_type = collections.Counter(o.type for o in survived)
    for row in answer["rows"]:
        assert row["survived"] == by_type[row["name"]], row["name"]


@pytest.fixture(scope="module", params=MINORS)
def several_cycles(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    with Target("identity", request.param, args=(folder, OBJECTS, 3)) as t:
        paths = take(t, folder, 2, 3)
        objects = read_objects(*paths)
    books = [read_book(folder / f"look.{k}") for k in (1, 2)]
    yield books, objects
    for f in folder.iterdir():
        f.unlink()


def test_with_several_collections_maybe_covers_the_truth(several_cycles):
    books, objects = several_cycles
    stayed = {a for a, first, last in lives(books) if (first, last) == (0, 1)}
    known = {a for a, _, _ in lives(books)}
    survivors = {a for a, found in objects.items() for o in found if (o.first, o.last) == (0, 1)}
    certain = {a for a, found in objects.items() for o in found if o.fate == "survived"}
    assert stayed <= survivors, f"{len(stayed - survivors)} are said to be gone, and are not"
    assert (certain & known) <= stayed, f"{len((certain & known) - stayed)} are certain, and wrong"
    assert len(stayed) > OBJECTS // 50
    # there is reason to say maybe
    assert len((survivors & known) - stayed) > OBJECTS // 200
