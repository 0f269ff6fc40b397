import com.fasterxml.jackson.databind.JsonNode;
import io.camunda.connector.api.annotation.OutboundConnector;
import io.camunda.connector.api.error.ConnectorInputException;
import io.camunda.connector.api.outbound.OutboundConnectorContext;
import io.camunda.connector.api.outbound.OutboundConnectorFunction;
import io.camunda.connector.http.client.HttpClientService;
import io.camunda.connector.http.client.model.HttpClientRequest;
import io.camunda.connector.http.client.model.HttpMethod;
import io.camunda.connector.http.client.model.auth.ApiKeyAuthentication;
import io.camunda.connector.http.client.model.auth.ApiKeyLocation;
import io.camunda.connector.http.client.model.auth.BasicAuthentication;
import io.camunda.connector.http.client.model.auth.BearerAuthentication;
import io.camunda.connector.http.client.model.auth.HttpAuthentication;
import io.camunda.connector.http.client.model.auth.NoAuthentication;
import io.camunda.connector.http.client.model.auth.OAuthAuthentication;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import java.util.Map;

/**
 * The job type {@code io.camunda:http-json:1} over Camunda's http-client module, which does all that the request and the response show.
 *
 * <p>Camunda's own function of that job type needs the module connector-http-base, whose LICENSE file (Apache-2.0) and source headers (proprietary)
 * contradict each other. So this class reads the inputs in its place.
 */
@OutboundConnector(
    name = "HTTP REST",
    type = "io.camunda:http-json:1",
    inputVariables = {
      "url", "method", "authentication", "headers", "queryParameters", "body", "skipEncoding", "storeResponse", "ignoreNullValues",
      "connectionTimeoutInSeconds", "readTimeoutInSeconds"
    })
public class Rest implements OutboundConnectorFunction {
  private static final int DEFAULT_TIMEOUT = 20;

  private final HttpClientService client = new HttpClientService();

  /** The inputs that the element template writes. */
  public record Input(
      @NotNull HttpMethod method,
      @NotBlank String url,
      JsonNode authentication,
      Map<String, String> headers,
      Map<String, String> queryParameters,
      Object body,
      String skipEncoding,
      boolean storeResponse,
      boolean ignoreNullValues,
      Integer connectionTimeoutInSeconds,
      Integer readTimeoutInSeconds) {}

  @Override
  public Object execute(OutboundConnectorContext context) {
    var input = context.bindVariables(Input.class);
    var request = new HttpClientRequest();
    request.setMethod(input.method());
    request.setUrl(input.url());
    request.setAuthentication(authentication(input.authentication()));
    request.setHeaders(input.headers());
    request.setQueryParameters(input.queryParameters());
    request.setBody(input.body());
    request.setSkipEncoding(input.skipEncoding());
    request.setStoreResponse(input.storeResponse());
    request.setIgnoreNullValues(input.ignoreNullValues());
    int connectionTimeout = input.connectionTimeoutInSeconds() == null ? DEFAULT_TIMEOUT : input.connectionTimeoutInSeconds();
    request.setConnectionTimeoutInSeconds(connectionTimeout);
    request.setReadTimeoutInSeconds(input.readTimeoutInSeconds() == null ? connectionTimeout : input.readTimeoutInSeconds());
    return client.executeConnectorRequest(request, context);
  }

  private static HttpAuthentication authentication(JsonNode given) {
    if (given == null || given.isNull()) {
      return null;
    }
    return switch (given.path("type").asText()) {
      case "noAuth" -> new NoAuthentication();
      case "basic" -> new BasicAuthentication(required(given, "username"), text(given, "password"));
      case "bearer" -> new BearerAuthentication(required(given, "token"));
      case "apiKey" -> new ApiKeyAuthentication(
          required(given, "apiKeyLocation").equals("query") ? ApiKeyLocation.QUERY : ApiKeyLocation.HEADERS,
          required(given, "name"),
          required(given, "value"));
      case "oauth-client-credentials-flow" -> new OAuthAuthentication(
          required(given, "oauthTokenEndpoint"),
          required(given, "clientId"),
          required(given, "clientSecret"),
          text(given, "audience"),
          required(given, "clientAuthentication"),
          text(given, "scopes"));
      default -> throw new ConnectorInputException(
          "Json object contains an invalid field: authentication", new IllegalArgumentException());
    };
  }

  private static String text(JsonNode given, String name) {
    var value = given.path(name);
    return value.isValueNode() && !value.isNull() ? value.asText() : null;
  }

  private static String required(JsonNode given, String name) {
    var value = text(given, name);
    if (value == null || value.isEmpty()) {
      throw new ConnectorInputException(
          "Property: authentication." + name + ": must not be empty", new IllegalArgumentException());
    }
    return value;
  }
}
