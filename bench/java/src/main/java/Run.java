import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Makes calls and measures them. */
final class Run {
  private static final OperatingSystemMXBean SYSTEM = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR_REFS = Path.of("/proc/self/clear_refs");

  private final Client client;
  private final Job.Text jobs;
  /** The number of the next call; each call has its own. */
  private long first;

  /**
   * What a run took.
   *
   * @param seconds from the first call to the end of the last one
   * @param cpuMicros CPU time of the process meanwhile, its compiler and its garbage collector included
   * @param peakKib the most resident memory since the run's start; 0 where the system does not tell
   * @param error why a call failed, if one did
   */
  record Measured(
      int calls,
      int failed,
      double seconds,
      @JsonProperty("cpu_us") long cpuMicros,
      @JsonProperty("p50_us") double p50Micros,
      @JsonProperty("p99_us") double p99Micros,
      @JsonProperty("rss_kib") long peakKib,
      @JsonInclude(JsonInclude.Include.NON_NULL) String error) {}

  Run(Client client, Job.Text jobs) {
    this.client = client;
    this.jobs = jobs;
  }

  /** One call, outside of all measurements. */
  void once() throws Exception {
    call(first++);
  }

  private void call(long number) throws Exception {
    var output = client.call(jobs.input(number));
    if (!output.contains(Job.Text.executionId(number))) {
      throw new IOException("the output has another execution ID: " + output);
    }
  }

  /** Exactly {@code calls} calls, {@code inFlight} at a time. */
  Measured run(int calls, int inFlight) throws Exception {
    var nanos = new long[calls];
    var next = new AtomicInteger();
    var failed = new AtomicInteger();
    var error = new AtomicReference<String>();
    long own = first;
    first += calls;
    var done = new CountDownLatch(inFlight);
    forgetThePeak();
    long cpu = SYSTEM.getProcessCpuTime();
    long begun = System.nanoTime();
    for (int i = 0; i < inFlight; i++) {
      Thread.ofVirtual().start(() -> {
        for (int call; (call = next.getAndIncrement()) < calls; ) {
          long started = System.nanoTime();
          try {
            call(own + call);
          } catch (Exception e) {
            failed.incrementAndGet();
            error.compareAndSet(null, e.toString());
          }
          nanos[call] = System.nanoTime() - started;
        }
        done.countDown();
      });
    }
    done.await();
    long took = System.nanoTime() - begun;
    long used = SYSTEM.getProcessCpuTime() - cpu;
    long peak = peakKib();
    Arrays.sort(nanos);
    return new Measured(calls, failed.get(), took / 1e9, used / 1000, micros(nanos, 0.5), micros(nanos, 0.99), peak, error.get());
  }

  /** Of a sorted array. */
  private static double micros(long[] nanos, double part) {
    return nanos.length == 0 ? 0 : nanos[(int) Math.min(nanos.length - 1, Math.ceil(part * nanos.length))] / 1e3;
  }

  /** Linux: the peak counts from here. */
  private static void forgetThePeak() {
    try {
      Files.writeString(CLEAR_REFS, "5");
    } catch (IOException e) {
      // Elsewhere, or not allowed: the peak since the start is shown.
    }
  }

  private static long peakKib() {
    try (var lines = Files.lines(STATUS)) {
      var line = lines.filter(it -> it.startsWith("VmHWM:")).findFirst();
      return line.map(it -> Long.parseLong(it.replaceAll("\\D", ""))).orElse(0L);
    } catch (IOException e) {
      return 0;
    }
  }
}
