import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Sends events to the agencies' door by the JDK's own client, and follows the receipt until each is in the lake.
 *
 * <pre>GATEWAY_URL=http://127.0.0.1:8081 GATEWAY_KEY=… java -cp classes SendHttp LAB-PB 25</pre>
 */
final class SendHttp {
    private static final HttpClient CLIENT = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private static final String URL = System.getenv("GATEWAY_URL");
    private static final String KEY = System.getenv("GATEWAY_KEY");

    public static void main(String[] arguments) throws Exception {
        int events = Integer.parseInt(arguments[1]);
        var body = Stream.generate(() -> Event.inspection(arguments[0]).json()).limit(events).collect(Collectors.joining("\n"));
        var answer = send(body);
        if (answer.statusCode() != 202) {
            System.err.println("refused with " + answer.statusCode() + ": " + answer.body());
            System.exit(1);
        }
        var receipt = text(answer.body(), "url");
        System.out.println(events + " durable; " + follow(receipt, events) + " accepted");
    }

    /** The same body under the same Idempotency-Key until there is an answer: a retry never counts twice. */
    private static HttpResponse<String> send(String body) throws InterruptedException {
        var key = UUID.randomUUID().toString();
        for (int attempt = 0; attempt < 8; attempt++) {
            var request = request("/v1/events").header("content-type", "application/x-ndjson").header("Idempotency-Key", key)
                .POST(BodyPublishers.ofString(body)).build();
            try {
                var answer = CLIENT.send(request, BodyHandlers.ofString());
                if (answer.statusCode() != 429 && answer.statusCode() != 503) {
                    return answer;
                }
                Thread.sleep(1000 * answer.headers().firstValueAsLong("Retry-After").orElse(1));
            } catch (IOException away) {
                Thread.sleep(250L << attempt);
            }
        }
        throw new IllegalStateException("the door did not take the events; try again later with the same body and key");
    }

    /** Waits until every event is beyond the log; gives how many were accepted. */
    private static long follow(String receipt, int events) throws IOException, InterruptedException {
        while (true) {
            var answer = CLIENT.send(request(receipt).build(), BodyHandlers.ofString()).body();
            var states = Pattern.compile("\"status\":\"([a-z_]+)\"").matcher(answer).results().map(found -> found.group(1)).toList();
            if (states.size() >= events && !states.contains("durable")) {
                return states.stream().filter("accepted"::equals).count();
            }
            Thread.sleep(200);
        }
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(URL + path)).timeout(Duration.ofMinutes(1)).header("Authorization", "Bearer " + KEY);
    }

    private static String text(String json, String name) {
        var found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        if (!found.find()) {
            throw new IllegalStateException("the answer has no " + name);
        }
        return found.group(1);
    }
}
