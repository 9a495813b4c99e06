// HprofRetained - what VisualVM's heap library says of an HPROF file: id, retained size, size and class of each of the
// N objects with the largest retained sizes, one a line; before them "objects COUNT SIZE" of all instances.
//
//	java -cp org-netbeans-lib-profiler.jar HprofRetained.java FILE N
import java.io.File;
import java.util.Iterator;
import java.util.PriorityQueue;
import org.netbeans.lib.profiler.heap.Heap;
import org.netbeans.lib.profiler.heap.HeapFactory;
import org.netbeans.lib.profiler.heap.Instance;

public class HprofRetained {
	public static void main(String[] args) throws Exception {
		Heap heap = HeapFactory.createHeap(new File(args[0]));
		int max = Integer.parseInt(args[1]);
		PriorityQueue<Instance> best =
			new PriorityQueue<>((a, b) -> Long.compare(a.getRetainedSize(), b.getRetainedSize()));
		long count = 0, bytes = 0;

		for (Iterator<?> it = heap.getAllInstancesIterator(); it.hasNext();) {
			Instance x = (Instance) it.next();
			count++;
			bytes += x.getSize();
			best.add(x);
			if (best.size() > max)
				best.poll();
		}
		System.out.println("objects " + count + " " + bytes);
		for (Instance x : best)
			System.out.println(x.getInstanceId() + " " + x.getRetainedSize() + " " + x.getSize() + " "
				+ x.getJavaClass().getName());
	}
}
