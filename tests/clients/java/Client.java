import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;

import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.SchemaCompatibility;
import org.apache.flink.avro.shaded.org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.formats.avro.registry.confluent.ConfluentRegistryAvroDeserializationSchema;
import org.apache.flink.formats.avro.registry.confluent.ConfluentRegistryAvroSerializationSchema;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Confluent's Java client and Flink's Confluent serializer against our registry, and Avro's own rules against our verdicts. */
public class Client {
    static final String BROKERS = System.getenv("AMANAT_TEST_KAFKA");
    static final String REGISTRY = System.getenv("REGISTRY");
    static final String FIRST = record("{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"count\",\"type\":\"int\"}");
    static final String SECOND = record("{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"count\",\"type\":\"long\"},"
            + "{\"name\":\"province\",\"type\":[\"null\",\"string\"],\"default\":null}");
    static final String BROKEN = record("{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"count\",\"type\":\"string\"}");

    static String record(String fields) {
        return "{\"type\":\"record\",\"name\":\"Seen\",\"namespace\":\"pk.test.java\",\"fields\":[" + fields + "]}";
    }

    static CachedSchemaRegistryClient client() {
        return new CachedSchemaRegistryClient(REGISTRY, 100);
    }

    static void is(Object actual, Object expected) {
        if (!actual.equals(expected)) {
            throw new AssertionError(actual + " in place of " + expected);
        }
    }

    interface Act {
        void run() throws Exception;
    }

    static void refused(int status, int code, Act act) throws Exception {
        try {
            act.run();
        } catch (RestClientException error) {
            is(error.getStatus() + "/" + error.getErrorCode(), status + "/" + code);
            return;
        }
        throw new AssertionError("not refused with " + code);
    }

    static void theRegistryClientDoesWhatItDoesWithConfluents() throws Exception {
        String subject = "java-client-value";
        int first = client().register(subject, new AvroSchema(FIRST));
        CachedSchemaRegistryClient client = client();
        is(client.register(subject, new AvroSchema(FIRST)), first);
        is(client().getSchemaById(first).canonicalString(), new AvroSchema(FIRST).canonicalString());
        is(client().getId(subject, new AvroSchema(FIRST)), first);
        is(client().getVersion(subject, new AvroSchema(FIRST)), 1);
        is(client.testCompatibility(subject, new AvroSchema(SECOND)), true);
        is(client.testCompatibility(subject, new AvroSchema(BROKEN)), false);
        is(client.testCompatibilityVerbose(subject, new AvroSchema(BROKEN)).isEmpty(), false);
        int second = client.register(subject, new AvroSchema(SECOND), true);
        refused(409, 409, () -> client().register(subject, new AvroSchema(BROKEN)));
        is(client.getAllVersions(subject), List.of(1, 2));
        is(client.getLatestSchemaMetadata(subject).getId(), second);
        is(client.getSchemaMetadata(subject, 1).getId(), first);
        is(client.getAllSubjects().contains(subject), true);
        is(client.getAllSubjectsById(first).contains(subject), true);
        is(client.getAllVersionsById(first).size(), 1);
        is(client.getCompatibility(null), "BACKWARD_TRANSITIVE");
        is(client.updateCompatibility(subject, "FULL_TRANSITIVE"), "FULL_TRANSITIVE");
        is(client.getCompatibility(subject), "FULL_TRANSITIVE");
        client.deleteCompatibility(subject);
        is(client.getMode(), "READWRITE");
        refused(404, 40401, () -> client().getLatestSchemaMetadata("nobody-value"));
        refused(404, 40402, () -> client().getSchemaMetadata(subject, 77));
        refused(404, 40403, () -> client().getSchemaById(999_999));
        refused(422, 42205, () -> client().deleteSubject(subject));
    }

    static GenericRecord event(String schema, String id, Object count) {
        GenericRecord event = new GenericData.Record(new Schema.Parser().parse(schema));
        event.put("id", id);
        event.put("count", count);
        return event;
    }

    static void eventsAreWrittenAndReadWithSchemasThatEvolve() throws Exception {
        String topic = "tip.events.clients-java-" + UUID.randomUUID().toString().substring(0, 8) + ".v1";
        String subject = "pk.test.java.Seen";
        GenericRecord newer = event(SECOND, "b", 1L << 40);
        newer.put("province", "PK-PB");
        Properties to = new Properties();
        to.put("bootstrap.servers", BROKERS);
        try (var admin = Admin.create(to)) {
            // The broker of the tests makes no topic by itself.
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
        }
        try (var producer = new KafkaProducer<>(to, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (GenericRecord event : List.of(event(FIRST, "a", 1), newer)) {
                var write = ConfluentRegistryAvroSerializationSchema.forGeneric(subject, event.getSchema(), REGISTRY);
                producer.send(new ProducerRecord<>(topic, write.serialize(event))).get();
            }
        }
        var broken = ConfluentRegistryAvroSerializationSchema.forGeneric(subject, new Schema.Parser().parse(BROKEN), REGISTRY);
        try {
            broken.serialize(event(BROKEN, "c", "x"));
            throw new AssertionError("a schema that breaks its subject was registered");
        } catch (RuntimeException expected) {
            is(expected.getCause() instanceof IOException || expected.toString().contains("409"), true);
        }
        var read = ConfluentRegistryAvroDeserializationSchema.forGeneric(new Schema.Parser().parse(SECOND), REGISTRY);
        Properties from = new Properties();
        from.putAll(Map.of("bootstrap.servers", BROKERS, "group.id", topic));
        List<String> seen = new ArrayList<>();
        try (var consumer = new KafkaConsumer<>(from, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(new TopicPartition(topic, 0)));
            consumer.seekToBeginning(consumer.assignment());
            long until = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            while (seen.size() < 2 && System.nanoTime() < until) {
                for (ConsumerRecord<byte[], byte[]> message : consumer.poll(Duration.ofSeconds(5))) {
                    seen.add(read.deserialize(message.value()).toString());
                }
            }
        }
        is(seen, List.of("{\"id\": \"a\", \"count\": 1, \"province\": null}",
                "{\"id\": \"b\", \"count\": 1099511627776, \"province\": \"PK-PB\"}"));
    }

    /** Our corpus of pairs says what Avro's own rules say, but where it says that it is stricter. */
    static void ourVerdictsAreAvrosOwn() throws Exception {
        JsonNode pairs = new ObjectMapper().readTree(new File(System.getenv("PAIRS")));
        List<String> differ = new ArrayList<>();
        for (JsonNode pair : pairs) {
            Schema older = new Schema.Parser().parse(pair.get("old").toString());
            Schema newer = new Schema.Parser().parse(pair.get("new").toString());
            boolean[] avro = {reads(newer, older), reads(older, newer)};
            boolean[] ours = {pair.get("backward").asBoolean(), pair.get("forward").asBoolean()};
            boolean stricter = pair.has("stricter_than_avro");
            for (int way = 0; way < 2; way++) {
                if (stricter ? ours[way] && !avro[way] : ours[way] != avro[way]) {
                    differ.add(pair.get("name").asText() + (way == 0 ? " (backward)" : " (forward)"));
                }
            }
        }
        is(differ, List.of());
        is(pairs.size() >= 50, true);
    }

    static boolean reads(Schema reader, Schema writer) {
        var judged = SchemaCompatibility.checkReaderWriterCompatibility(reader, writer);
        return judged.getType() == SchemaCompatibilityType.COMPATIBLE;
    }

    public static void main(String[] arguments) throws Exception {
        ourVerdictsAreAvrosOwn();
        System.out.println("java: our verdicts are Avro's own ok");
        theRegistryClientDoesWhatItDoesWithConfluents();
        System.out.println("java: the registry client does what it does with Confluent's ok");
        eventsAreWrittenAndReadWithSchemasThatEvolve();
        System.out.println("java: events are written and read with schemas that evolve ok");
        System.out.println("3 passed, 0 failed");
    }
}
