import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Publishes events to the agency's topic: CloudEvents in structured mode, keyed by the record, idempotent, acknowledged by all.
 *
 * <pre>BROKERS=127.0.0.1:9092 java -cp 'classes:lib/*' SendKafka LAB-BA 25</pre>
 *
 * A third argument, make-topic, is for trying it out; an operator makes yours.
 */
final class SendKafka {
    public static void main(String[] arguments) throws Exception {
        var settings = Map.<String, Object>of(
            "bootstrap.servers", System.getenv("BROKERS"), "enable.idempotence", true, "acks", "all",
            "key.serializer", StringSerializer.class, "value.serializer", StringSerializer.class);
        var topic = "tip.events." + arguments[0] + ".v1";
        int events = Integer.parseInt(arguments[1]);
        if (arguments.length > 2) {
            try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", System.getenv("BROKERS")))) {
                admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
            }
        }
        try (var producer = new KafkaProducer<String, String>(settings)) {
            for (int number = 0; number < events; number++) {
                var event = Event.inspection(arguments[0]);
                var record = new ProducerRecord<>(topic, event.subject(), event.json());
                record.headers().add("content-type", "application/cloudevents+json".getBytes());
                producer.send(record).get(); // each is known to be delivered; a program that sends many waits for the last ones
            }
        }
        System.out.println(events + " delivered");
    }
}
