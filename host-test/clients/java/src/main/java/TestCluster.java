import static io.camunda.client.CredentialsProvider.newBasicAuthCredentialsProviderBuilder;
import static io.camunda.client.CredentialsProvider.newCredentialsProviderBuilder;

import io.camunda.client.CamundaClient;
import io.camunda.client.CredentialsProvider;
import io.camunda.client.api.command.FinalCommandStep;
import io.camunda.client.api.command.ProblemException;
import io.camunda.client.api.command.enums.TenantFilter;
import io.camunda.client.api.response.ActivatedJob;
import io.camunda.client.api.search.enums.JobKind;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/** The test cluster, judged by Camunda's Java client of 8.9. */
final class TestCluster {
  private static final long MISSING = 2251799813000000L;
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration HOUR = Duration.ofHours(1);

  interface Promise {
    void keep() throws Exception;
  }

  private final Map<String, Promise> promises = new LinkedHashMap<>();
  private final Control control = new Control(environment("CLUSTER"));
  private final CamundaClient camunda = client(environment("CLUSTER"), null);

  public static void main(String[] arguments) {
    System.exit(new TestCluster().run() ? 0 : 1);
  }

  private boolean run() {
    declare();
    var failed = 0;
    for (var promise : promises.entrySet()) {
      try {
        promise.getValue().keep();
      } catch (Exception | AssertionError broken) {
        failed++;
        System.out.println("FAILED " + promise.getKey());
        broken.printStackTrace(System.out);
      }
    }
    camunda.close();
    System.out.println("java: " + (promises.size() - failed) + " of " + promises.size() + " tests passed");
    return failed == 0;
  }

  private void declare() {
    promises.put("the topology names the version", () -> {
      var topology = camunda.newTopologyRequest().send().join();
      check(topology.getGatewayVersion().startsWith("8.9."), topology);
      equal(topology.getClusterSize(), topology.getBrokers().size());
      equal(topology.getPartitionsCount(), topology.getBrokers().getFirst().getPartitions().size());
      check(topology.getBrokers().getFirst().getPartitions().getFirst().isLeader(), topology);
    });

    promises.put("without a job an activation ends with an empty list", () -> equal(List.of(), activate("nobody")));

    promises.put("an activation waits for a job", () -> {
      var before = control.get("requests?call=activation").size();
      var waiting = camunda.newActivateJobsCommand().jobType("later").maxJobsToActivate(1).timeout(HOUR).requestTimeout(MINUTE).send();
      control.get("requests?call=activation&withinMs=60000&atLeast=" + (before + 1));
      var created = control.createJob(Map.of("type", "later"));
      equal(created.get("jobKey").asLong(), waiting.join().getJobs().getFirst().getKey());
    });

    promises.put("an activated job has its variables, headers and keys", () -> {
      var created = control.createJob(Map.of("variables", Map.of("a", 1), "inputs", Map.of("b", List.of(true)), "headers", Map.of("h", "x"), "retries", 7));
      var job = activate(created.get("type").asText()).getFirst();
      equal(Map.of("a", 1, "b", List.of(true)), job.getVariablesAsMap());
      equal(Map.of("h", "x"), job.getCustomHeaders());
      equal(7, job.getRetries());
      equal("judge", job.getWorker());
      equal("<default>", job.getTenantId());
      equal(JobKind.BPMN_ELEMENT, job.getKind());
      equal(created.get("processInstanceKey").asLong(), job.getProcessInstanceKey());
      equal(job.getProcessInstanceKey(), (Object) job.getRootProcessInstanceKey());
      equal(created.get("elementInstanceKey").asLong(), job.getElementInstanceKey());
      check(job.getDeadline() > System.currentTimeMillis(), job);
      equal(1, job.getProcessDefinitionVersion());
      equal(null, job.getUserTask());
      equal(List.of(), List.copyOf(job.getTags()));
    });

    promises.put("the fetched variables are selected", () -> {
      var type = control.createJob(Map.of("variables", Map.of("a", 1, "b", 2))).get("type").asText();
      var jobs = camunda.newActivateJobsCommand().jobType(type).maxJobsToActivate(1).timeout(HOUR).fetchVariables("b", "absent").send().join();
      equal(Map.of("b", 2), jobs.getJobs().getFirst().getVariablesAsMap());
    });

    promises.put("a tenant filter is accepted", () -> {
      var type = control.createJob(Map.of()).get("type").asText();
      var command = camunda.newActivateJobsCommand().jobType(type).maxJobsToActivate(1).tenantFilter(TenantFilter.ASSIGNED);
      equal(1, command.send().join().getJobs().size());
    });

    promises.put("a job is completed once", () -> {
      var job = activated(Map.of());
      camunda.newCompleteCommand(job).variables(Map.of("done", 1)).send().join();
      equal(1, control.inState(job.getKey(), "completed").at("/completedWith/done").asInt());
      refused(404, "NOT_FOUND", camunda.newCompleteCommand(job));
    });

    promises.put("a failed job with retries is handed out again", () -> {
      var job = activated(Map.of());
      camunda.newFailCommand(job).retries(2).errorMessage("broken").variables(Map.of("seen", 1)).send().join();
      var again = activate(job.getType()).getFirst();
      equal(2, again.getRetries());
      equal(Map.of("seen", 1), again.getVariablesAsMap());
    });

    promises.put("a failed job waits for its back-off, and cannot be settled before", () -> {
      var job = activated(Map.of());
      camunda.newFailCommand(job).retries(2).retryBackoff(Duration.ofMinutes(10)).send().join();
      equal(List.of(), activate(job.getType()));
      refused(409, "INVALID_STATE", camunda.newCompleteCommand(job));
    });

    promises.put("a failure without retries leaves an incident", () -> {
      var job = activated(Map.of());
      camunda.newFailCommand(job).retries(0).errorMessage("broken").send().join();
      var incident = control.inState(job.getKey(), "incident").get("incident");
      equal("JOB_NO_RETRIES broken", incident.get("kind").asText() + " " + incident.get("message").asText());
      refused(409, "INVALID_STATE", camunda.newFailCommand(job).retries(1));
    });

    promises.put("an error is caught, or leaves an incident", () -> {
      var caught = activated(Map.of("catches", List.of("E")));
      camunda.newThrowErrorCommand(caught).errorCode("E").errorMessage("so").variables(Map.of("why", 1)).send().join();
      equal(1, control.inState(caught.getKey(), "thrown").at("/processVariables/why").asInt());
      var loose = activated(Map.of());
      camunda.newThrowErrorCommand(loose).errorCode("E").send().join();
      equal("UNHANDLED_ERROR_EVENT", control.inState(loose.getKey(), "incident").at("/incident/kind").asText());
      refused(409, "INVALID_STATE", camunda.newThrowErrorCommand(loose).errorCode("E"));
    });

    promises.put("a job's timeout and retries can be changed", () -> {
      var job = activated(Map.of());
      camunda.newUpdateTimeoutCommand(job).timeout(Duration.ofHours(2)).send().join();
      check(control.job(job.getKey()).get("untilMs").asLong() > job.getDeadline(), job);
      camunda.newUpdateRetriesCommand(job).retries(9).send().join();
      camunda.newUpdateJobCommand(job).update(8, 60_000L).send().join();
      equal(8, control.job(job.getKey()).get("retries").asInt());
      refused(400, "INVALID_ARGUMENT", camunda.newUpdateRetriesCommand(job).retries(0));
      camunda.newFailCommand(job).retries(0).send().join();
      refused(409, "INVALID_STATE", camunda.newUpdateTimeoutCommand(job).timeout(HOUR));
    });

    promises.put("a job that does not exist is not found by any call", () -> {
      refused(404, "NOT_FOUND", camunda.newCompleteCommand(MISSING));
      refused(404, "NOT_FOUND", camunda.newFailCommand(MISSING).retries(1));
      refused(404, "NOT_FOUND", camunda.newThrowErrorCommand(MISSING).errorCode("E"));
      refused(404, "NOT_FOUND", camunda.newUpdateRetriesCommand(MISSING).retries(1));
    });

    promises.put("local variables are seen by the next activation", () -> {
      var job = activated(Map.of("variables", Map.of("a", 1)));
      camunda.newSetVariablesCommand(job.getElementInstanceKey()).variables(Map.of("a", 2)).local(true).send().join();
      camunda.newSetVariablesCommand(job.getElementInstanceKey()).variables(Map.of("p", 3)).send().join();
      control.post("jobs/" + job.getKey() + "/expire", Map.of());
      equal(Map.of("a", 2, "p", 3), activate(job.getType()).getFirst().getVariablesAsMap());
      refused(404, "NOT_FOUND", camunda.newSetVariablesCommand(MISSING).variables(Map.of()));
    });

    promises.put("an expression has a result and warnings, or is refused", () -> {
      control.post("expressions", Map.of("expression", "=java", "result", Map.of("sum", 3), "warnings", List.of("careful")));
      control.post("expressions", Map.of("expression", "=java(", "unparsable", "a bracket"));
      control.post("expressions", Map.of("expression", "=java()", "failed", "too deep"));
      var evaluated = camunda.newEvaluateExpressionCommand().expression("=java").variables(Map.of("a", 1)).send().join();
      equal("=java", evaluated.getExpression());
      equal(Map.of("sum", 3), evaluated.getResult());
      equal("careful", evaluated.getWarnings().getFirst().getMessage());
      refused(400, "INVALID_ARGUMENT", camunda.newEvaluateExpressionCommand().expression("=java("));
      refused(500, "INTERNAL", camunda.newEvaluateExpressionCommand().expression("=java()"));
    });

    promises.put("a message is published once while it is buffered", () -> {
      var message = camunda.newPublishMessageCommand().messageName("answer").correlationKey("java").messageId("1").timeToLive(HOUR);
      check(message.variables(Map.of("a", 1)).send().join().getMessageKey() > 0, "no key");
      refused(409, "ALREADY_EXISTS", message);
    });

    promises.put("an activation with a wrong value is refused", () -> {
      var command = camunda.newActivateJobsCommand().jobType("t").maxJobsToActivate(1).timeout(Duration.ZERO);
      refused(400, "INVALID_ARGUMENT", command);
    });

    promises.put("back-pressure and a lost broker are told apart", () -> {
      var job = activated(Map.of());
      var troubles = List.of(
          List.of("resource-exhausted", 503, "RESOURCE_EXHAUSTED"), List.of("unavailable", 503, "UNAVAILABLE"),
          List.of("gateway-timeout", 504, "DEADLINE_EXCEEDED"), List.of("rejected", 500, "INTERNAL"), List.of("forbidden", 403, "FORBIDDEN"));
      for (var trouble : troubles) {
        // Below the client, Apache's HTTP client sends a request once more after 503.
        var times = trouble.get(1).equals(503) ? 2 : 1;
        control.post("faults", Map.of("call", "completion", "job", Long.toString(job.getKey()), "times", times, "do", trouble.get(0)));
        refused((int) trouble.get(1), (String) trouble.get(2), camunda.newCompleteCommand(job));
      }
      camunda.newCompleteCommand(job).send().join();
    });

    promises.put("a cluster with basic authentication knows its user", () -> {
      var address = environment("CLUSTER_BASIC");
      try (var known = client(address, basic("demo")); var stranger = client(address, basic("wrong"))) {
        check(known.newTopologyRequest().send().join() != null, "no topology");
        refused(401, "Unauthorized", stranger.newTopologyRequest());
      }
    });

    promises.put("a cluster with OAuth issues a token and takes it", () -> {
      var address = environment("CLUSTER_OAUTH");
      var cache = Files.createTempDirectory("credentials");
      var credentials = newCredentialsProviderBuilder()
          .authorizationServerUrl(address + "/oauth/token")
          .audience("zeebe.camunda.io")
          .clientId("demo")
          .clientSecret("demo")
          .credentialsCachePath(cache.resolve("credentials").toString())
          .build();
      try (var known = client(address, credentials); var stranger = client(address, null)) {
        check(known.newTopologyRequest().send().join() != null, "no topology");
        refused(401, "Unauthorized", stranger.newTopologyRequest());
      } finally {
        Files.deleteIfExists(cache.resolve("credentials"));
        Files.delete(cache);
      }
    });

    promises.put("the client's job worker completes, fails and throws", this::worker);
  }

  private void worker() throws Exception {
    var keys = new ArrayList<Long>();
    for (var n = 0; n < 20; n++) {
      keys.add(control.createJob(Map.of("type", "worked-by-java", "variables", Map.of("n", n), "catches", true)).get("jobKey").asLong());
    }
    var worker = camunda.newWorker()
        .jobType("worked-by-java")
        .handler((client, job) -> {
          var n = (int) job.getVariable("n");
          if (n == 7 && job.getRetries() == 3) {
            // The client's worker fails the job itself, with one retry less.
            throw new IllegalStateException("once more");
          }
          if (n == 8) {
            client.newThrowErrorCommand(job).errorCode("E").errorMessage("no").send().join();
          } else {
            client.newCompleteCommand(job).variables(Map.of("twice", 2 * n)).send().join();
          }
        })
        .name("judge")
        .maxJobsActive(4)
        .timeout(HOUR)
        .streamEnabled(false)
        .open();
    try (worker) {
      for (var n = 0; n < keys.size(); n++) {
        var ended = control.inState(keys.get(n), n == 8 ? "thrown" : "completed");
        equal(n == 7 ? 2 : 1, ended.get("timesActivated").asInt());
        if (n != 8) {
          equal(2 * n, ended.at("/completedWith/twice").asInt());
        }
      }
    }
  }

  private static CamundaClient client(String address, CredentialsProvider credentials) {
    // The gRPC address is never called: if it were, the call would fail.
    var builder = CamundaClient.newClientBuilder()
        .applyEnvironmentVariableOverrides(false)
        .restAddress(URI.create(address))
        .grpcAddress(URI.create("http://127.0.0.1:1"))
        .preferRestOverGrpc(true)
        .useDefaultRetryPolicy(false);
    return credentials == null ? builder.build() : builder.credentialsProvider(credentials).build();
  }

  private static CredentialsProvider basic(String password) {
    return newBasicAuthCredentialsProviderBuilder().username("demo").password(password).applyEnvironmentOverrides(false).build();
  }

  private List<ActivatedJob> activate(String type) {
    var command = camunda.newActivateJobsCommand().jobType(type).maxJobsToActivate(5).timeout(HOUR).workerName("judge");
    return command.requestTimeout(Duration.ofMillis(-1)).send().join().getJobs();
  }

  /** A job in the client's hands. */
  private ActivatedJob activated(Map<String, ?> spec) throws Exception {
    var created = control.createJob(spec);
    var job = activate(created.get("type").asText()).getFirst();
    equal(created.get("jobKey").asLong(), job.getKey());
    return job;
  }

  /** The call ends with the client's own exception for a problem document. */
  private static void refused(int status, String title, FinalCommandStep<?> command) {
    try {
      CompletableFuture<?> sent = command.send().toCompletableFuture();
      sent.join();
    } catch (RuntimeException wrapped) {
      for (Throwable cause = wrapped; cause != null; cause = cause.getCause()) {
        if (cause instanceof ProblemException problem) {
          equal(status, problem.code());
          equal(status, problem.details().getStatus());
          equal(title, problem.details().getTitle());
          check(problem.details().getInstance().getPath().startsWith("/v2/"), problem.details());
          check(!problem.details().getDetail().isBlank(), problem.details());
          return;
        }
      }
      throw wrapped;
    }
    throw new AssertionError("accepted; " + status + " was expected");
  }

  private static void equal(Object expected, Object actual) {
    check(Objects.equals(expected, actual), "expected " + expected + ", got " + actual);
  }

  private static void check(boolean holds, Object what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  private static String environment(String name) {
    var value = System.getenv(name);
    if (value == null) {
      throw new IllegalStateException(name + " is not set: run `make test-cluster`");
    }
    return value;
  }
}
