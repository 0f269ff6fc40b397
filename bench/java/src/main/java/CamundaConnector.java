import com.fasterxml.jackson.databind.ObjectMapper;
import io.camunda.client.api.response.ActivatedJob;
import io.camunda.connector.api.secret.SecretContext;
import io.camunda.connector.api.secret.SecretProvider;
import io.camunda.connector.api.validation.ValidationProvider;
import io.camunda.connector.document.jackson.JacksonModuleDocumentDeserializer;
import io.camunda.connector.document.jackson.JacksonModuleDocumentSerializer;
import io.camunda.connector.feel.jackson.JacksonModuleFeelFunction;
import io.camunda.connector.http.client.model.HttpClientResult;
import io.camunda.connector.jackson.ConnectorsObjectMapperSupplier;
import io.camunda.connector.runtime.core.ConnectorResultHandler;
import io.camunda.connector.runtime.core.document.DocumentFactoryImpl;
import io.camunda.connector.runtime.core.document.store.InMemoryDocumentStore;
import io.camunda.connector.runtime.core.intrinsic.DefaultIntrinsicFunctionExecutor;
import io.camunda.connector.runtime.core.outbound.JobHandlerContext;
import io.camunda.connector.runtime.core.validation.ValidationUtil;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.Map;

/**
 * Camunda's REST connector on a job, without a cluster and without a worker: bound, called and its result made into variables as the connector
 * runtime 8.8.7 does it, with a result variable and no expression.
 */
final class CamundaConnector implements Client {
  private static final SecretProvider NO_SECRETS =
      new SecretProvider() {
        @Override
        public String getSecret(String name, SecretContext context) {
          return null;
        }
      };

  private final DocumentFactoryImpl documents = new DocumentFactoryImpl(InMemoryDocumentStore.INSTANCE);
  private final ObjectMapper reader = reader(documents);
  private final ObjectMapper writer =
      ConnectorsObjectMapperSupplier.getCopy().registerModules(new JacksonModuleFeelFunction(), new JacksonModuleDocumentSerializer());
  private final ConnectorResultHandler results = new ConnectorResultHandler(reader);
  private final ValidationProvider validation = ValidationUtil.discoverDefaultValidationProviderImplementation();
  private final Rest connector = new Rest();

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

  @Override
  public String call(String job) throws Exception {
    var activated = activated(job);
    var response = connector.execute(new JobHandlerContext(activated, NO_SECRETS, validation, documents, reader));
    if (!(response instanceof HttpClientResult result
        && result.body() instanceof Map<?, ?> body
        && body.get("result") instanceof Map<?, ?> own
        && own.get("executionId") instanceof String id
        && !id.isEmpty())) {
      throw new IOException("no result.executionId");
    }
    return writer.writeValueAsString(results.createOutputVariables(response, "result", null));
  }

  private static ActivatedJob activated(String variables) {
    return (ActivatedJob)
        Proxy.newProxyInstance(
            CamundaConnector.class.getClassLoader(),
            new Class<?>[] {ActivatedJob.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "getVariables" -> variables;
                  case "getCustomHeaders" -> Map.of();
                  case "getRetries" -> 3;
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
