import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camunda.client.api.response.ActivatedJob;
import io.camunda.connector.api.outbound.OutboundConnectorFunction;
import io.camunda.connector.api.secret.SecretContext;
import io.camunda.connector.api.secret.SecretProvider;
import io.camunda.connector.document.jackson.JacksonModuleDocumentDeserializer;
import io.camunda.connector.document.jackson.JacksonModuleDocumentSerializer;
import io.camunda.connector.feel.jackson.JacksonModuleFeelFunction;
import io.camunda.connector.jackson.ConnectorsObjectMapperSupplier;
import io.camunda.connector.runtime.core.ConnectorResultHandler;
import io.camunda.connector.runtime.core.document.DocumentFactoryImpl;
import io.camunda.connector.runtime.core.document.store.InMemoryDocumentStore;
import io.camunda.connector.runtime.core.intrinsic.DefaultIntrinsicFunctionExecutor;
import io.camunda.connector.runtime.core.outbound.ConnectorResult;
import io.camunda.connector.runtime.core.outbound.ErrorExpressionJobContext;
import io.camunda.connector.runtime.core.outbound.JobHandlerContext;
import io.camunda.connector.runtime.core.validation.ValidationUtil;
import io.camunda.connector.runtime.outbound.job.OutboundConnectorExceptionHandler;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.LoggerFactory;

/**
 * Camunda's REST connector, called as Camunda's connector runtime calls it, without a cluster. One JSON object per line on standard input, one per
 * line on standard output.
 *
 * <p>A job: {@code {"variables": text of a JSON object, "headers": {…}, "secrets": {…}, "retries": 3}}. Its answer: {@code {"outcome": "complete",
 * "response", "variables"}} or {@code {"outcome": "fail", "failure", "errorMessage", "retries"}}, or what an error expression says.
 *
 * <p>An expression: {@code {"evaluate": "=…", "response": {…}, "error": true if it is an error expression}}. Its answer: {@code {"value"}} or {@code
 * {"failed"}}.
 */
public class Judge {
  private static final TypeReference<Map<String, String>> TEXTS = new TypeReference<>() {};

  private final ObjectMapper plain = new ObjectMapper();
  private final DocumentFactoryImpl documents = new DocumentFactoryImpl(InMemoryDocumentStore.INSTANCE);
  private final ObjectMapper reader = reader(documents);
  private final ObjectMapper writer =
      ConnectorsObjectMapperSupplier.getCopy().registerModules(new JacksonModuleFeelFunction(), new JacksonModuleDocumentSerializer());
  private final ConnectorResultHandler results = new ConnectorResultHandler(reader);
  private final OutboundConnectorFunction connector = new Rest();

  /** As OutboundConnectorsAutoConfiguration of the runtime makes it. */
  private static ObjectMapper reader(DocumentFactoryImpl documents) {
    var mapper = ConnectorsObjectMapperSupplier.getCopy();
    return mapper.registerModules(
        new JacksonModuleDocumentDeserializer(
            documents,
            new DefaultIntrinsicFunctionExecutor(mapper),
            JacksonModuleDocumentDeserializer.DocumentModuleSettings.create()),
        new JacksonModuleFeelFunction(false),
        new JacksonModuleDocumentSerializer());
  }

  public static void main(String[] arguments) throws Exception {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger("ROOT").setLevel(Level.OFF);
    var answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    // Whatever a library prints must not stand between the answers.
    System.setOut(System.err);
    var judge = new Judge();
    answers.println("{\"ready\":true}");
    var calls = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = calls.readLine()) != null; ) {
      answers.println(judge.answer(line));
    }
    System.exit(0);
  }

  private String answer(String line) throws Exception {
    var call = plain.readTree(line);
    var answer = call.has("evaluate") ? evaluate(call) : job(call);
    try {
      return writer.writeValueAsString(answer);
    } catch (Exception e) {
      return plain.writeValueAsString(Map.of("outcome", "unwritable", "errorMessage", String.valueOf(e.getMessage())));
    }
  }

  private Map<String, Object> evaluate(JsonNode call) {
    var answer = new LinkedHashMap<String, Object>();
    var expression = call.get("evaluate").asText();
    Object response = plain.convertValue(call.get("response"), Object.class);
    try {
      answer.put(
          "value",
          call.path("error").asBoolean()
              ? results.examineErrorExpression(response, Map.of("errorExpression", expression), retriesLeft(3)).orElse(null)
              : results.createOutputVariables(response, null, expression));
    } catch (Exception | StackOverflowError e) {
      answer.put("failed", String.valueOf(e.getMessage()));
    }
    return answer;
  }

  /** What SpringConnectorJobHandler of the runtime does with a job, up to what it tells the cluster. */
  private Map<String, Object> job(JsonNode call) {
    var headers = texts(call.path("headers"));
    var secrets = texts(call.path("secrets"));
    int retries = call.path("retries").asInt(3);
    var provider = new SecretProvider() {
      @Override
      public String getSecret(String name, SecretContext context) {
        return secrets.get(name);
      }
    };
    var job = activated(call.path("variables").asText(), headers, retries);
    var failures = new OutboundConnectorExceptionHandler(provider);
    var answer = new LinkedHashMap<String, Object>();
    ConnectorResult result;
    try {
      var validation = ValidationUtil.discoverDefaultValidationProviderImplementation();
      Object response = connector.execute(new JobHandlerContext(job, provider, validation, documents, reader));
      answer.put("response", response);
      result = new ConnectorResult.SuccessResult(
          response, results.createOutputVariables(response, headers.get("resultVariable"), headers.get("resultExpression")));
    } catch (Exception e) {
      var backoff = headers.containsKey("retryBackoff") ? Duration.parse(headers.get("retryBackoff")) : null;
      result = failures.manageConnectorJobHandlerException(e, job, backoff);
    } catch (StackOverflowError e) {
      result = unreported();
    }
    try {
      results.examineErrorExpression(result.responseValue(), headers, retriesLeft(retries)).ifPresent(said -> {
        answer.put("outcome", said.getClass().getSimpleName());
        answer.put("said", said);
      });
    } catch (Exception e) {
      result = failures.handleFinalResultException(e, job);
    } catch (StackOverflowError e) {
      result = unreported();
    }
    switch (result) {
      case ConnectorResult.SuccessResult success -> {
        answer.putIfAbsent("outcome", "complete");
        answer.put("variables", success.variables());
      }
      case ConnectorResult.ErrorResult error -> {
        answer.putIfAbsent("outcome", "fail");
        answer.put("failure", error.responseValue());
        answer.put("errorMessage", error.exception().getMessage());
        answer.put("retries", Math.max(error.retries(), 0));
        answer.put("retryBackoff", error.retryBackoff() == null ? null : error.retryBackoff().toString());
      }
    }
    return answer;
  }

  /** The runtime catches no Error: nothing is told to the cluster, and the job waits for its timeout. */
  private static ConnectorResult unreported() {
    var failure = new RuntimeException("nothing is reported to the cluster");
    return new ConnectorResult.ErrorResult(Map.of("error", Map.of("type", "StackOverflowError")), failure, 0);
  }

  private static ErrorExpressionJobContext retriesLeft(int retries) {
    return new ErrorExpressionJobContext(new ErrorExpressionJobContext.ErrorExpressionJob(retries));
  }

  private Map<String, String> texts(JsonNode object) {
    return object.isObject() ? plain.convertValue(object, TEXTS) : Map.of();
  }

  private static ActivatedJob activated(String variables, Map<String, String> headers, int retries) {
    return (ActivatedJob) Proxy.newProxyInstance(
        Judge.class.getClassLoader(),
        new Class<?>[] {ActivatedJob.class},
        (proxy, method, arguments) -> switch (method.getName()) {
          case "getVariables" -> variables;
          case "getCustomHeaders" -> headers;
          case "getRetries" -> retries;
          case "getTenantId" -> "<default>";
          case "getType" -> "io.camunda:http-json:1";
          case "toString" -> "job";
          default -> {
            if (method.getReturnType() == long.class) yield 1L;
            if (method.getReturnType() == int.class) yield 0;
            yield null;
          }
        });
  }
}
