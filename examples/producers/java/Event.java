import java.security.SecureRandom;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.UUID;

/** An event of this example: an inspection of a workplace. It names nobody. */
record Event(String id, String subject, String json) {
    private static final SecureRandom CHANCE = new SecureRandom();
    private static final String LETTERS = "bcdfghjkmnpqrstvwxz";

    /** A structured CloudEvent. Its subject is your own record, as an opaque name that you keep beside its number. */
    static Event inspection(String agency) {
        var id = uuid7().toString();
        var subject = new StringBuilder(agency).append('/');
        for (int at = 0; at < 20; at++) {
            subject.append(LETTERS.charAt(CHANCE.nextInt(LETTERS.length())));
        }
        var time = OffsetDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.MILLIS);
        var json = """
            {"specversion":"1.0","id":"%s","source":"urn:pk:tip:%s","type":"pk.tip.inspection.conducted",\
            "dataschema":"https://schemas.amanat.example/inspection.conducted/v1","subject":"%s","time":"%s",\
            "datacontenttype":"application/json","data":{"record_version":1,"occurred_on":"2026-02-04","place":"PK-PB-LHR",\
            "sector":"brick_kiln","kind":"child","outcome":["no_violation"],"workers":14,"released":0}}"""
            .formatted(id, agency, subject, time);
        return new Event(id, subject.toString(), json);
    }

    /** A UUID of version 7 (RFC 9562). */
    private static UUID uuid7() {
        long high = System.currentTimeMillis() << 16 | 0x7000 | CHANCE.nextInt(0x1000);
        long low = CHANCE.nextLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
        return new UUID(high, low);
    }
}
