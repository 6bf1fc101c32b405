//! OIDs of PostgreSQL's built-in types and system tables that the code names (`pg_type.dat`, `pg_class.dat` of PostgreSQL 15).

pub(crate) const BOOL: u32 = 16;
pub(crate) const BYTEA: u32 = 17;
pub(crate) const CHAR: u32 = 18;
pub(crate) const NAME: u32 = 19;
pub(crate) const INT8: u32 = 20;
pub(crate) const INT2: u32 = 21;
pub(crate) const INT2VECTOR: u32 = 22;
pub(crate) const INT4: u32 = 23;
pub(crate) const REGPROC: u32 = 24;
pub(crate) const TEXT: u32 = 25;
pub(crate) const OID: u32 = 26;
pub(crate) const TID: u32 = 27;
pub(crate) const XID: u32 = 28;
pub(crate) const CID: u32 = 29;
pub(crate) const OIDVECTOR: u32 = 30;
pub(crate) const JSON: u32 = 114;
pub(crate) const PG_NODE_TREE: u32 = 194;
pub(crate) const FLOAT4: u32 = 700;
pub(crate) const FLOAT8: u32 = 701;
pub(crate) const UNKNOWN: u32 = 705;
pub(crate) const BPCHAR: u32 = 1042;
pub(crate) const VARCHAR: u32 = 1043;
pub(crate) const DATE: u32 = 1082;
pub(crate) const TIME: u32 = 1083;
pub(crate) const TIMESTAMP: u32 = 1114;
pub(crate) const TIMESTAMPTZ: u32 = 1184;
pub(crate) const INTERVAL: u32 = 1186;
pub(crate) const TIMETZ: u32 = 1266;
pub(crate) const NUMERIC: u32 = 1700;
pub(crate) const REGPROCEDURE: u32 = 2202;
pub(crate) const REGOPER: u32 = 2203;
pub(crate) const REGOPERATOR: u32 = 2204;
pub(crate) const REGCLASS: u32 = 2205;
pub(crate) const REGTYPE: u32 = 2206;
pub(crate) const RECORD: u32 = 2249;
pub(crate) const ANYARRAY: u32 = 2277;
pub(crate) const VOID: u32 = 2278;
pub(crate) const ANY: u32 = 2276;
pub(crate) const ANYELEMENT: u32 = 2283;
pub(crate) const ANYNONARRAY: u32 = 2776;
pub(crate) const UUID: u32 = 2950;
pub(crate) const REGCONFIG: u32 = 3734;
pub(crate) const REGDICTIONARY: u32 = 3769;
pub(crate) const JSONB: u32 = 3802;
pub(crate) const REGNAMESPACE: u32 = 4089;
pub(crate) const REGROLE: u32 = 4096;
pub(crate) const REGCOLLATION: u32 = 4191;
pub(crate) const ANYCOMPATIBLE: u32 = 5077;
pub(crate) const ANYCOMPATIBLEARRAY: u32 = 5078;
pub(crate) const TEXT_ARRAY: u32 = 1009;

/// The table of tables.
pub(crate) const PG_CLASS: u32 = 1259;
/// The table of functions.
pub(crate) const PG_PROC: u32 = 1255;
/// The table of schemas.
pub(crate) const PG_NAMESPACE: u32 = 2615;
/// The schema of the system tables.
pub(crate) const PG_CATALOG: u32 = 11;

/// Whether a value of the type is a number inside and a name in the output.
pub(crate) fn is_reg(oid: u32) -> bool {
    matches!(
        oid,
        REGPROC
            | REGPROCEDURE
            | REGOPER
            | REGOPERATOR
            | REGCLASS
            | REGTYPE
            | REGCONFIG
            | REGDICTIONARY
            | REGNAMESPACE
            | REGROLE
            | REGCOLLATION
    )
}

/// Whether a value of the type is an integer inside.
pub(crate) fn is_integer(oid: u32) -> bool {
    matches!(oid, INT2 | INT4 | INT8 | OID | XID | CID | 5069) || is_reg(oid)
}

/// Whether a value of the type is a number, for arithmetic.
pub(crate) fn is_number(oid: u32) -> bool {
    matches!(oid, INT2 | INT4 | INT8 | OID | FLOAT4 | FLOAT8 | NUMERIC)
}

/// Whether a value of the type is a string of characters.
pub(crate) fn is_text(oid: u32) -> bool {
    matches!(oid, TEXT | VARCHAR | BPCHAR | NAME | CHAR | UNKNOWN | 2275 | PG_NODE_TREE)
}
