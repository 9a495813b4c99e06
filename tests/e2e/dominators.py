"""Retained sizes of graphs in foreign formats, by another algorithm than limpet's own."""


def _search(roots, edges, nodes):
    """Depth-first numbers from 1 (0 is above all roots): the nodes, their parents' numbers."""
    order, parent, number = [None], [0], {}
    stack = [(0, iter(roots))]
    while stack:
        up, rest = stack[-1]
        for to in rest:
            if to in nodes and to not in number:
                number[to] = len(order)
                order.append(to)
                parent.append(up)
                stack.append((number[to], iter(edges(to))))
                break
        else:
            stack.pop()
    return order, parent, number


def retained(nodes, roots, edges, size):
    """{node: bytes} of all that roots reach.  edges, size: of a node.

    Lengauer, Tarjan: A Fast Algorithm for Finding Dominators in a Flowgraph (1979), the simple version.
    """
    order, parent, number = _search(roots, edges, nodes)
    n = len(order)
    before = [[] for _ in range(n)]
    for root in roots:
        if root in number:
            before[number[root]].append(0)
    for v in range(1, n):
        for to in edges(order[v]):
            if to in number:
                before[number[to]].append(v)
    semi, best, above = list(range(n)), list(range(n)), [-1] * n
    idom, bucket = [0] * n, [[] for _ in range(n)]

    def evaluate(v):
        path = []
        while above[v] >= 0 and above[above[v]] >= 0:
            path.append(v)
            v = above[v]
        for x in reversed(path):
            if semi[best[above[x]]] < semi[best[x]]:
                best[x] = best[above[x]]
            above[x] = above[v] if above[v] >= 0 else above[x]
        return best[path[0] if path else v]

    for w in range(n - 1, 0, -1):
        for v in before[w]:
            semi[w] = min(semi[w], semi[evaluate(v)])
        bucket[semi[w]].append(w)
        p = parent[w]
        above[w] = p
        for v in bucket[p]:
            u = evaluate(v)
            idom[v] = u if semi[u] < semi[v] else p
        bucket[p] = []
    for w in range(1, n):
        if idom[w] != semi[w]:
            idom[w] = idom[idom[w]]
    kept = [0] + [size(v) for v in order[1:]]
    for w in range(n - 1, 0, -1):
        kept[idom[w]] += kept[w]
    return {order[w]: kept[w] for w in range(1, n)}
