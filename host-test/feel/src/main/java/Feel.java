import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.camunda.feel.FeelEngine;
import org.camunda.feel.context.Context;
import org.camunda.feel.context.FunctionProvider;
import org.camunda.feel.context.VariableProvider;
import org.camunda.feel.syntaxtree.Val;
import org.camunda.feel.syntaxtree.ValBoolean;
import org.camunda.feel.syntaxtree.ValContext;
import org.camunda.feel.syntaxtree.ValDate;
import org.camunda.feel.syntaxtree.ValDateTime;
import org.camunda.feel.syntaxtree.ValDayTimeDuration;
import org.camunda.feel.syntaxtree.ValList;
import org.camunda.feel.syntaxtree.ValLocalDateTime;
import org.camunda.feel.syntaxtree.ValLocalTime;
import org.camunda.feel.syntaxtree.ValNull$;
import org.camunda.feel.syntaxtree.ValNumber;
import org.camunda.feel.syntaxtree.ValString;
import org.camunda.feel.syntaxtree.ValTime;
import org.camunda.feel.syntaxtree.ValYearMonthDuration;
import org.camunda.feel.valuemapper.JavaCustomValueMapper;
import scala.Option;
import scala.collection.Iterable;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Camunda's FEEL engine over HTTP, for a test cluster: what a Camunda 8.9 cluster answers to {@code POST /v2/expression/evaluation}.
 *
 * <p>It prints its port on standard output, and ends when standard input is closed. A POST of {@code {"expression", "variables"}} is answered by
 * {@code {"result", "warnings": [text]}}, {@code {"unparsable": text}} or {@code {"failed": text}}.
 */
public final class Feel {
  // A cluster keeps whole numbers as 64-bit integers and all others as doubles. Here every digit stays.
  private static final ObjectMapper JSON = JsonMapper.builder()
      .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS, DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
      .nodeFactory(JsonNodeFactory.withExactBigDecimals(true))
      .build();
  /** Beyond this many zeros, a whole number is written with an exponent. */
  private static final int ZEROS = 40;

  private final FeelEngine engine = new FeelEngine.Builder().customValueMapper(new Values()).build();

  public static void main(String[] arguments) throws IOException {
    var feel = new Feel();
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", feel::serve);
    server.setExecutor(Executors.newCachedThreadPool());
    server.start();
    System.out.println(server.getAddress().getPort());
    while (System.in.read() >= 0) {}
    System.exit(0);
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      int status = 200;
      ObjectNode answer;
      try {
        answer = answer(JSON.readTree(exchange.getRequestBody()));
      } catch (IOException e) {
        status = 400;
        answer = said("failed", "the request is not JSON: " + e.getMessage());
      }
      var bytes = JSON.writeValueAsBytes(answer);
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private ObjectNode answer(JsonNode question) {
    var expression = question.path("expression").asText();
    try {
      // As in a cluster, "=" alone is text, too.
      return expression.length() > 1 && expression.startsWith("=")
          ? evaluated(expression.substring(1), question.path("variables"))
          : result(fixed(expression));
    } catch (RuntimeException | StackOverflowError e) {
      return said("failed", e.toString());
    }
  }

  private ObjectNode evaluated(String expression, JsonNode variables) {
    var parsed = engine.parseExpression(expression);
    if (parsed.isLeft()) {
      return said("unparsable", parsed.left().toOption().get().message());
    }
    var evaluation = engine.evaluate(parsed.toOption().get(), new Given(variables));
    if (evaluation.isFailure()) {
      return said("failed", evaluation.failure().message());
    }
    var answer = result(json((Val) evaluation.result()));
    var warnings = answer.withArray("warnings");
    // A cluster leaves out the failure's type.
    CollectionConverters.asJava(evaluation.suppressedFailures()).forEach(failure -> warnings.add(failure.failureMessage()));
    return answer;
  }

  /** What a cluster makes of text without a leading "=". */
  private static JsonNode fixed(String text) {
    var nodes = JSON.getNodeFactory();
    switch (text) {
      case "null":
        return nodes.nullNode();
      case "true", "false":
        return nodes.booleanNode(text.equals("true"));
      default:
        try {
          return number(new BigDecimal(text));
        } catch (NumberFormatException e) {
          return nodes.textNode(text);
        }
    }
  }

  private static ObjectNode result(JsonNode value) {
    var answer = JSON.createObjectNode();
    answer.set("result", value);
    answer.putArray("warnings");
    return answer;
  }

  private static ObjectNode said(String what, String text) {
    return JSON.createObjectNode().put(what, text);
  }

  private static Val value(JsonNode node) {
    return switch (node.getNodeType()) {
      case OBJECT -> new ValContext(new Given(node));
      case ARRAY -> {
        var items = new ArrayList<Val>();
        node.forEach(item -> items.add(value(item)));
        yield new ValList(CollectionConverters.asScala(items).toList());
      }
      case STRING -> new ValString(node.textValue());
      case NUMBER -> new ValNumber(new scala.math.BigDecimal(node.decimalValue()));
      case BOOLEAN -> new ValBoolean(node.booleanValue());
      default -> ValNull$.MODULE$;
    };
  }

  /** A variable's context. As in a cluster, it comes out as it went in: members in their order, numbers as they were written. */
  private record Given(JsonNode members) implements Context, VariableProvider {
    @Override
    public VariableProvider variableProvider() {
      return this;
    }

    @Override
    public FunctionProvider functionProvider() {
      return FunctionProvider.EmptyFunctionProvider$.MODULE$;
    }

    @Override
    public Option<Object> getVariable(String name) {
      return Option.apply(members.get(name)).map(Feel::value);
    }

    @Override
    public Iterable<String> keys() {
      var names = new ArrayList<String>();
      members.fieldNames().forEachRemaining(names::add);
      return CollectionConverters.asScala(names);
    }
  }

  private static JsonNode json(Object value) {
    var nodes = JSON.getNodeFactory();
    return switch (value) {
      case ValNumber it -> number(it.value().bigDecimal());
      case ValBoolean it -> nodes.booleanNode(it.value());
      case ValString it -> nodes.textNode(it.value());
      case ValList it -> {
        var items = nodes.arrayNode();
        CollectionConverters.asJava(it.itemsAsSeq()).forEach(item -> items.add(json(item)));
        yield items;
      }
      case ValContext it when it.context() instanceof Given given -> given.members();
      case ValContext it -> {
        var members = nodes.objectNode();
        CollectionConverters.asJava(it.context().variableProvider().getVariables()).forEach((name, member) -> members.set(name, json(member)));
        yield members;
      }
      case ValTime it -> nodes.textNode(it.value().format());
      case ValLocalTime it -> nodes.textNode(it.value().toString());
      case ValDate it -> nodes.textNode(it.value().toString());
      case ValDateTime it -> nodes.textNode(DateTimeFormatter.ISO_ZONED_DATE_TIME.format(it.value()));
      case ValLocalDateTime it -> nodes.textNode(DateTimeFormatter.ISO_LOCAL_DATE_TIME.format(it.value()));
      case ValDayTimeDuration it -> nodes.textNode(it.toString());
      case ValYearMonthDuration it -> nodes.textNode(it.toString());
      // A function, for example, is null to a cluster.
      default -> nodes.nullNode();
    };
  }

  private static JsonNode number(BigDecimal number) {
    var shortest = number.stripTrailingZeros();
    return shortest.scale() <= 0 && shortest.scale() >= -ZEROS
        ? JSON.getNodeFactory().numberNode(shortest.toBigIntegerExact())
        : JSON.getNodeFactory().numberNode(shortest);
  }

  /** Leaves FEEL's values as they are: a duration must not become a Java object. */
  private static final class Values extends JavaCustomValueMapper {
    @Override
    public Optional<Val> toValue(Object value, Function<Object, Val> inner) {
      return Optional.empty();
    }

    @Override
    public Optional<Object> unpackValue(Val value, Function<Val, Object> inner) {
      return Optional.of(value);
    }
  }
}
