import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;

/** What both clients of ours do with a job besides sending it: JSON, address, headers, basic authentication, the check of the response. */
final class Exchange {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ObjectReader JOB = JSON.readerFor(Job.class);
  private static final ObjectReader TREE = JSON.readerFor(JsonNode.class);
  private static final ObjectWriter TEXT = JSON.writer();

  record Result(int status, String reason, Map<String, String> headers, JsonNode body, String executionId) {}

  private Exchange() {}

  static ClassicHttpRequest request(String text) throws IOException {
    Job job = JOB.readValue(text);
    var address = new StringBuilder(job.snEndpoint()).append(job.restApiTriggerPath());
    char separator = '?';
    for (var parameter : job.queryParameters().entrySet()) {
      address.append(separator).append(encoded(parameter.getKey())).append('=').append(encoded(parameter.getValue()));
      separator = '&';
    }
    var request = new HttpUriRequestBase(job.method(), URI.create(address.toString()));
    job.headers().forEach(request::setHeader);
    request.setHeader("Authorization", basic(job.authentication()));
    request.setEntity(new ByteArrayEntity(TEXT.writeValueAsBytes(job.body()), ContentType.APPLICATION_JSON));
    return request;
  }

  /** Throws where no flow has started. */
  static String result(ClassicHttpResponse response) throws IOException {
    if (response.getCode() != 200) {
      throw new IOException("status " + response.getCode());
    }
    JsonNode body = TREE.readValue(EntityUtils.toByteArray(response.getEntity()));
    var id = body.path("result").path("executionId").textValue();
    if (id == null || id.isEmpty()) {
      throw new IOException("no result.executionId");
    }
    var headers = new LinkedHashMap<String, String>();
    for (var header : response.getHeaders()) {
      headers.put(header.getName().toLowerCase(Locale.ROOT), header.getValue());
    }
    return TEXT.writeValueAsString(new Result(response.getCode(), response.getReasonPhrase(), headers, body, id));
  }

  private static String basic(Job.Authentication given) {
    var pair = given.username() + ":" + given.password();
    return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
