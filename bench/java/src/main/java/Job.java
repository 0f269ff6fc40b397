import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.util.Map;

/** A job's input, as the flow starter's template writes it. */
record Job(
    String snEndpoint,
    String restApiTriggerPath,
    String method,
    Map<String, String> headers,
    Map<String, String> queryParameters,
    JsonNode body,
    Authentication authentication) {

  record Authentication(String type, String username, String password) {}

  /** The JSON text of any number of jobs, which differ in one value. The same text as that of the bench's other contenders ({@code bench/src/call.rs}). */
  record Text(String before, String after) {
    /** @param target the members that say which flow is started */
    private static Text of(String target, String username, String password) {
      return new Text(
          "{"
              + target
              + """
              ,"method":"POST","headers":{"x-correlation-id":"order-4711","x-source":"bench"},\
              "queryParameters":{"process":"order","tenant":"acme 1"},"body":{"correlationValue":"\
              """,
          """
          ","processInstance":2251799813685249,"message":"approved","amount":118.5},\
          "authentication":{"type":"basic","username":"%s","password":"%s"}}\
          """
              .formatted(username, password));
    }

    static Text ofTheFlowStarter(String url, String username, String password) {
      var origin = URI.create(url).resolve("/").toString().replaceFirst("/$", "");
      var target = "\"snEndpoint\":\"%s\",\"restApiTriggerPath\":\"%s\"".formatted(origin, url.substring(origin.length()));
      return of(target, username, password);
    }

    static Text ofCamundasConnector(String url, String username, String password) {
      return of("\"url\":\"%s\"".formatted(url), username, password);
    }

    /** The input of the call of this number. */
    String input(long number) {
      return before + "c" + digits(number) + after;
    }

    /** What the server answers to it. */
    static String executionId(long number) {
      return "e" + digits(number);
    }

    /** 31 of them. */
    private static String digits(long number) {
      var digits = Long.toString(number);
      return "0".repeat(31 - digits.length()) + digits;
    }
  }
}
