import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.HashMap;
import java.util.Map;

/** The test cluster's control API. */
final class Control {
  private final String address;
  private final HttpClient http = HttpClient.newHttpClient();
  private final ObjectMapper json = new ObjectMapper();
  private int types;

  Control(String address) {
    this.address = address + "/control/";
  }

  JsonNode post(String path, Map<String, ?> body) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(URI.create(address + path))
        .POST(HttpRequest.BodyPublishers.ofString(json.writeValueAsString(body))));
  }

  JsonNode get(String path) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(URI.create(address + path)));
  }

  private JsonNode send(HttpRequest.Builder builder) throws IOException, InterruptedException {
    var request = builder.build();
    var response = http.send(request, BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IOException(request.method() + " " + request.uri() + ": " + response.statusCode() + " " + response.body());
    }
    return json.readTree(response.body());
  }

  /** A job of a type that no other test has, unless the type is given. */
  JsonNode createJob(Map<String, ?> spec) throws IOException, InterruptedException {
    var whole = new HashMap<String, Object>(Map.of("type", "java-" + ++types));
    whole.putAll(spec);
    return post("jobs", whole);
  }

  JsonNode job(long key) throws IOException, InterruptedException {
    return get("jobs/" + key);
  }

  /** The job, as soon as it is in this state. */
  JsonNode inState(long key, String state) throws IOException, InterruptedException {
    return get("jobs/" + key + "?withinMs=60000&state=" + state);
  }
}
