import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.LoggerFactory;

/**
 * One contender of the bench as a process: {@code Contender shared|per-request|camunda --url URL [--ca FILE.pem] --username U --password P
 * --in-flight-max K}. The protocol is that of {@code bench/README.md}.
 */
public class Contender {
  public static void main(String[] arguments) throws Exception {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger("ROOT").setLevel(Level.OFF);
    var answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    // Whatever a library prints must not stand between the answers.
    System.setOut(System.err);
    var options = options(arguments);
    if (options.containsKey("ca")) {
      TrustedAuthority.trust(Path.of(options.get("ca")));
    }
    int most = Integer.parseInt(required(options, "in-flight-max"));
    var runner = runner(arguments[0], most, required(options, "url"), required(options, "username"), required(options, "password"));
    runner.once();
    answers.println("{\"ready\":true,\"start_ms\":" + (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) + "}");
    var json = new ObjectMapper();
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      var asked = json.readTree(line);
      int inFlight = asked.path("in_flight").asInt(1);
      if (inFlight > most) {
        throw new IllegalArgumentException("in_flight is above --in-flight-max " + most);
      }
      answers.println(json.writeValueAsString(runner.run(asked.path("calls").asInt(), inFlight)));
    }
    System.exit(0);
  }

  private static Run runner(String contender, int inFlight, String url, String username, String password) {
    var jobs = Job.Text.ofTheFlowStarter(url, username, password);
    return switch (contender) {
      case "shared" -> new Run(new SharedClient(inFlight), jobs);
      case "per-request" -> new Run(new ClientPerRequest(), jobs);
      case "camunda" -> new Run(new CamundaConnector(), Job.Text.ofCamundasConnector(url, username, password));
      default -> throw new IllegalArgumentException("no contender " + contender + ": shared, per-request or camunda");
    };
  }

  private static Map<String, String> options(String[] arguments) {
    if (arguments.length % 2 == 0) {
      throw new IllegalArgumentException("a contender, then pairs of an option and its value");
    }
    var options = new HashMap<String, String>();
    for (int i = 1; i < arguments.length; i += 2) {
      options.put(arguments[i].replaceFirst("^--", ""), arguments[i + 1]);
    }
    return options;
  }

  private static String required(Map<String, String> options, String name) {
    var value = options.get(name);
    if (value == null) {
      throw new IllegalArgumentException("--" + name + " is missing");
    }
    return value;
  }
}
