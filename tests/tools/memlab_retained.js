// memlab_retained - what memlab says of a V8 heap snapshot: [id, retained size, size, name] of each of the N nodes with
// the largest retained sizes, as one line of JSON.
//
//	NODE_PATH=.../node_modules node memlab_retained.js FILE N
const { getFullHeapFromFile } = require("@memlab/heap-analysis");

(async () => {
	const heap = await getFullHeapFromFile(process.argv[2]);
	const rows = [];

	heap.nodes.forEach((n) => {
		rows.push([n.id, n.retainedSize, n.self_size, n.name]);
	});
	rows.sort((a, b) => b[1] - a[1]);
	console.log("\n" + JSON.stringify(rows.slice(0, Number(process.argv[3]))));
})();
