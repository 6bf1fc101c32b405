-- Statements that must be refused with the code named, or end at a limit.
-- Format: a question goes from one "-- expect:" to the next. "-- expect: ok", a code of refusal, or several ("a or b");
-- "-- params: [...]" JSON values of $1, $2, ...; "-->" a row of the answer ("cell | cell", numbers without closing zeros).
-- A text repeated is written 1000*text between double braces.

-- expect: statement
create table t (a int)
-- expect: statement
create table t as select * from published.v01
-- expect: statement
create view v as select 1
-- expect: statement
create or replace view published.v01 as select 1
-- expect: statement
create external table t stored as csv location '/etc/passwd'
-- expect: statement
create external table t stored as parquet location 's3://bucket/key'
-- expect: statement
create schema s
-- expect: statement
create database d
-- expect: statement or key_needed
create function f(int) returns int return $1
-- expect: statement
create index i on published.v01 (value)
-- expect: statement
create temporary table t (a int)
-- expect: statement
drop table published.v01
-- expect: statement
drop view published.v01
-- expect: statement
drop schema published cascade
-- expect: statement
drop function sum
-- expect: statement
alter table published.v01 add column x int
-- expect: statement
alter table published.indicator_values rename to x
-- expect: statement
truncate table published.indicator_values
-- expect: statement
insert into published.v01 values (1)
-- expect: statement
insert into published.v01 select * from published.v01
-- expect: statement
insert into information_schema.tables values ('a', 'b', 'c', 'd', 'e')
-- expect: statement
insert overwrite published.v01 select 1
-- expect: statement
update published.v01 set value = 0
-- expect: statement
update information_schema.columns set data_type = 'text'
-- expect: statement
delete from published.v01
-- expect: statement
delete from published.editions where edition = 1
-- expect: statement
merge into published.v01 using published.v02 on true when matched then delete
-- expect: statement
with t as (select 1) insert into published.v01 select * from t
-- expect: statement or syntax
with t as (insert into published.v01 values (1) returning 1) select * from t
-- expect: statement or syntax
with t as (delete from published.v01 returning *) select * from t
-- expect: statement or syntax
with t as (update published.v01 set value = 0 returning *) select * from t
-- expect: statement
select * into t from published.v01
-- expect: statement
select value into outfile from published.v01
-- expect: syntax
select * from published.v01 into outfile '/tmp/x'
-- expect: statement
copy published.v01 to '/tmp/amanat.csv'
-- expect: statement
copy (select 1) to '/tmp/amanat.parquet' stored as parquet
-- expect: statement
copy (select * from published.v01) to 's3://bucket/x.parquet'
-- expect: statement
copy published.v01 from '/etc/passwd'
-- expect: statement
copy published.v01 to stdout
-- expect: statement
copy published.v01 to program 'sh -c id'
-- expect: statement
unload (select 1) to '/tmp/x'
-- expect: statement
export database to '/tmp/x'
-- expect: statement
import foreign schema public from server s into published
-- expect: statement
load data inpath '/etc/passwd' into table t
-- expect: statement
load '/tmp/evil.so'
-- expect: statement
install httpfs
-- expect: statement
attach 'file.db' as f
-- expect: statement
detach f
-- expect: statement
pragma database_list
-- expect: statement
set datafusion.execution.target_partitions = 64
-- expect: statement
set datafusion.catalog.information_schema = true
-- expect: statement
set memory_limit to '100GB'
-- expect: statement
set session authorization root
-- expect: statement
reset all
-- expect: statement
reset datafusion.execution.batch_size
-- expect: statement
show all
-- expect: statement
show tables
-- expect: statement
show columns from published.v01
-- expect: statement
show functions
-- expect: statement
describe published.v01
-- expect: statement
desc published.v01
-- expect: statement
explain select 1
-- expect: statement
explain analyze select * from published.v01
-- expect: statement
explain verbose select * from published.v01
-- expect: statement
explain (analyze, verbose) select 1
-- expect: statement
explain format pgjson select 1
-- expect: statement
analyze published.v01
-- expect: statement
vacuum
-- expect: statement
prepare p as select $1
-- expect: statement
execute p(1)
-- expect: statement
execute immediate 'select 1'
-- expect: statement
deallocate all
-- expect: statement
begin
-- expect: statement
start transaction
-- expect: statement
commit
-- expect: statement
rollback
-- expect: statement
savepoint s
-- expect: statement
release savepoint s
-- expect: statement
declare c cursor for select 1
-- expect: statement
fetch all from c
-- expect: statement
close c
-- expect: statement
listen x
-- expect: statement
notify x
-- expect: statement
lock table published.v01
-- expect: statement
grant all on published.v01 to public
-- expect: statement
revoke all on published.v01 from public
-- expect: statement
comment on table published.v01 is 'x'
-- expect: statement
call f()
-- expect: statement
do $$ begin raise notice 'x'; end $$
-- expect: statement
discard all
-- expect: statement
kill 1
-- expect: statement
use published
-- expect: statement
cache table published.v01
-- expect: statement
refresh table published.v01
-- expect: statement
checkpoint
-- expect: statement
cluster published.v01
-- expect: statement
reindex table published.v01
-- expect: statement
end
-- expect: statement
abort
-- expect: one_statement

-- expect: one_statement
;;;
-- expect: one_statement
-- only a comment
-- expect: one_statement
/* only a comment */
-- expect: one_statement
select 1; select 2
-- expect: one_statement
select 1; drop table published.v01
-- expect: one_statement
select 1; copy (select 1) to '/tmp/amanat.csv'
-- expect: one_statement
select 1; set x = 1; select 2;
-- expect: one_statement
values (1); values (2)
-- expect: one_statement
select 1 /* ; */ ; -- ;
select 2
-- expect: syntax
selec 1
-- expect: syntax
select
-- expect: syntax
select * from
-- expect: syntax
select 'unclosed
-- expect: syntax
select /* unclosed
-- expect: syntax
select (1
-- expect: syntax
select 1)
-- expect: syntax
select 1 select 2
-- expect: syntax
\copy published.v01 to '/tmp/x'
-- expect: syntax
' or 1=1 --
-- expect: syntax
1; select 1
-- expect: syntax
select * from published.v01 where
-- expect: construct
with recursive t(n) as (select 1 union all select n + 1 from t) select * from t
-- expect: construct
with recursive t as (select 1 as n union all select n * 2 from t where n < 1000000000) select count(*) from t
-- expect: construct
select * from (with recursive t as (select 1 as n union all select n from t) select * from t) x
-- expect: construct
select (with recursive t as (select 1 as n union all select n from t) select max(n) from t)
-- expect: construct
select * from published.v01 for update
-- expect: construct
select * from published.v01 for share
-- expect: construct
table published.v01
-- expect: construct
from published.v01
-- expect: construct or syntax
select * from published.v01 tablesample bernoulli (10)
-- expect: construct
select * from read_csv('/etc/passwd')
-- expect: construct
select * from read_parquet('/var/lib/amanat/lake/*.parquet')
-- expect: construct
select * from read_json('http://example.org/x')
-- expect: construct
select * from generate_series(1, 1000000000)
-- expect: construct
select * from range(0, 1000000000)
-- expect: construct
select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b
-- expect: construct
select * from parquet_metadata('x.parquet')
-- expect: construct
select * from metadata_cache()
-- expect: construct
select * from statistics_cache()
-- expect: construct
select * from list_files_cache()
-- expect: construct
select * from unnest(array[1, 2, 3])
-- expect: construct
select * from published.v01, lateral (select 1) x
-- expect: construct
select * from published.v01, lateral generate_series(1, 10)
-- expect: construct or syntax
select * from table(read_csv('/etc/passwd'))
-- expect: unknown_table
select * from '/etc/passwd'
-- expect: unknown_table
select * from 'file.parquet'
-- expect: unknown_table
select * from "/etc/passwd"
-- expect: unknown_table
select * from "file:///etc/passwd"
-- expect: unknown_table
select * from "s3://bucket/key.parquet"
-- expect: unknown_table
select * from "https://example.org/x.csv"
-- expect: unknown_table or key_needed
select * from victims
-- expect: unknown_table or key_needed
select count(*) from victims where province = 'PK-PB'
-- expect: unknown_table
select * from marts.victims
-- expect: unknown_table
select * from lake.marts.victims
-- expect: unknown_table or key_needed
select * from cases
-- expect: unknown_table or key_needed
select * from accused
-- expect: unknown_table or key_needed
select * from charges
-- expect: unknown_table or key_needed
select * from judgments
-- expect: unknown_table or key_needed
select * from inspections
-- expect: unknown_table or key_needed
select * from services
-- expect: unknown_table or key_needed
select * from returns
-- expect: unknown_table or key_needed
select * from contacts
-- expect: unknown_table or key_needed
select * from activities
-- expect: unknown_table
select * from events
-- expect: unknown_table
select * from raw.events
-- expect: unknown_table
select * from published.victims
-- expect: unknown_table
select * from reference.persons
-- expect: unknown_table
select * from set_aside
-- expect: unknown_table or key_needed
select value from published.v01 where exists (select 1 from victims)
-- expect: unknown_table or key_needed
select value from published.v01 where province in (select province from victims)
-- expect: unknown_table or key_needed
select (select count(*) from victims)
-- expect: unknown_table or key_needed
with v as (select * from victims) select count(*) from v
-- expect: unknown_table or meaning
select * from published.v01 union all select * from victims
-- expect: unknown_table or key_needed
select * from published.v01 v join victims w on true
-- expect: unknown_table or key_needed
select case when (select count(*) from victims) > 10 then 1 end
-- expect: unknown_table
select * from information_schema.df_settings
-- expect: unknown_table
select * from information_schema.views
-- expect: unknown_table
select * from information_schema.routines
-- expect: unknown_table
select * from information_schema.parameters
-- expect: unknown_table
select * from information_schema.schemata
-- expect: unknown_table
select * from pg_catalog.pg_stat_user_tables
-- expect: unknown_table
select * from pg_catalog.pg_class
-- expect: unknown_table
select * from datafusion.information_schema.tables
-- expect: unknown_table
select * from other.published.v01
-- expect: unknown_table
select * from v1
-- expect: unknown_table
select * from a.b.c.d
-- expect: unknown_column
select secret from published.v01
-- expect: unknown_column
select person_id from published.v01
-- expect: unknown_column
select exploitation from published.v01
-- expect: unknown_column
select value from published.v01 where xmin = 1
-- expect: unknown_column
select ctid from published.v01
-- expect: unknown_column
select _file from published.indicator_values
-- expect: unknown_column
select "PK-PB"
-- expect: unknown_function
select random()
-- expect: unknown_function
select * from published.v01 where random() < 0.5
-- expect: unknown_function
select * from published.v01 order by random()
-- expect: unknown_function
select uuid()
-- expect: unknown_function
select now()
-- expect: unknown_function
select current_date
-- expect: unknown_function
select current_timestamp
-- expect: unknown_function
select current_time
-- expect: unknown_function
select version()
-- expect: unknown_function or unknown_column
select current_user
-- expect: unknown_function or unknown_column
select session_user
-- expect: unknown_function
select current_setting('data_directory')
-- expect: unknown_function
select set_config('x', 'y', false)
-- expect: unknown_function
select pg_sleep(1000)
-- expect: unknown_function
select pg_read_file('/etc/passwd')
-- expect: unknown_function
select pg_ls_dir('/')
-- expect: unknown_function
select pg_catalog.pg_read_file('/etc/passwd')
-- expect: unknown_function
select lo_import('/etc/passwd')
-- expect: unknown_function
select dblink('host=localhost', 'select 1')
-- expect: unknown_function
select input_file_name() from published.v01
-- expect: unknown_function
select file_row_index() from published.v01
-- expect: unknown_function
select getenv('HOME')
-- expect: unknown_function
select read_text('/etc/passwd')
-- expect: unknown_function
select system('id')
-- expect: unknown_function
select md5(code) from reference.province
-- expect: unknown_function
select sha256(code) from reference.province
-- expect: unknown_function
select digest(code, 'sha512') from reference.province
-- expect: unknown_function
select encode(code, 'base64') from reference.province
-- expect: unknown_function
select arrow_cast(1, 'FixedSizeList(1000000000, Int64)')
-- expect: unknown_function
select arrow_cast(value, 'Dictionary(Int32, Utf8)') from published.v01
-- expect: unknown_function
select arrow_metadata(value) from published.v01
-- expect: unknown_function
select repeat('x', 1000000000)
-- expect: unknown_function
select length(repeat(repeat(repeat('x', 10000), 10000), 10000))
-- expect: unknown_function
select array_repeat(1, 1000000000)
-- expect: unknown_function
select range(0, 1000000000)
-- expect: unknown_function
select generate_series(1, 1000000000)
-- expect: unknown_function
select string_agg(en, ',') from reference.province
-- expect: unknown_function
select array_agg(value) from published.v01
-- expect: unknown_function
select make_array(1, 2)
-- expect: unknown_function
select unnest(make_array(1, 2))
-- expect: unknown_function
select regexp_replace(en, '(a+)+$', 'x') from reference.province
-- expect: unknown_function
select regexp_like(en, '(((a{1000}){1000}){1000})') from reference.province
-- expect: unknown_function
select levenshtein(en, ur) from reference.province
-- expect: unknown_function
select factorial(1000000)
-- expect: unknown_function
select named_struct('a', 1)
-- expect: unknown_function
select map(['a'], [1])
-- expect: unknown_function
select approx_distinct(province) from published.v01
-- expect: unknown_function
select nth_value(value, 1) from published.v01
-- expect: unknown_function
select median(value) over (order by time_period rows between 1000 preceding and current row) from published.v01
-- expect: unknown_function
select count(distinct value) over () from published.v01
-- expect: unknown_function
select sum(value, value) over (), nosuch(1) from published.v01
-- expect: construct
select array[1, 2, 3]
-- expect: construct
select [1, 2, 3]
-- expect: construct or unknown_function
select struct(1, 2)
-- expect: construct or syntax
select map {'a': 1}
-- expect: construct or syntax
select {'a': 1}
-- expect: construct or unknown_function
select row(1, 2)
-- expect: construct or syntax
select en ~ '(a+)+$' from reference.province
-- expect: construct or syntax
select en !~* 'x' from reference.province
-- expect: construct
select en similar to '(a|b)*' from reference.province
-- expect: construct
select cast('x' as bytea)
-- expect: construct or syntax
select cast(1 as int[])
-- expect: construct
select x'00ff'
-- expect: construct
select as_of at time zone 'Asia/Karachi' from published.editions
-- expect: construct
select en collate "C" from reference.province
-- expect: construct or syntax or unknown_column
select @@version
-- expect: construct or syntax or unknown_column or parameter
select @x
-- expect: construct
select 1 fetch first 1 rows only
-- expect: construct or syntax
select top 5 * from published.v01
-- expect: construct or unknown_column
select * from published.v01 order by all
-- expect: construct or syntax
select province, count(*) from published.v01 group by all
-- expect: construct or syntax
select 1 format json
-- expect: construct or syntax
select * exclude (value) from published.v01
-- expect: construct or syntax
from published.v01 |> limit 1
-- expect: construct or syntax
select * from published.v01 pivot (sum(value) for province in ('PK-PB'))
-- expect: construct or syntax
select * from published.v01 match_recognize (pattern (a) define a as true)
-- expect: construct or unknown_column
select x -> x + 1
-- expect: construct or syntax
select 1 << 62
-- expect: parameter
select $1
-- expect: parameter
-- params: [1]
select 1
-- expect: parameter
-- params: [1]
select $1, $2
-- expect: parameter
-- params: [1]
select $0
-- expect: parameter
-- params: [1]
select ?
-- expect: parameter or syntax
-- params: [1]
select * from published.v01 where province = :province
-- expect: parameter or syntax
-- params: [1]
select $a
-- expect: unknown_table or syntax
-- params: ["published.v01"]
select * from $1
-- expect: too_long
select '{{100000*x}}'
-- expect: too_long
select 1 /* {{100000*x}} */
-- expect: too_long
select {{50000*1+}}1
-- expect: too_long
-- params: []
{{100000* }}select 1
-- expect: too_deep
select {{10000*(}}1
-- expect: too_deep
select {{8000*(}}1{{8000*)}}
-- expect: too_deep
select {{40*(}}1{{40*)}}
-- expect: too_deep
{{200*select * from (}}select 1
-- expect: too_deep
select {{40*(select }}1{{40*)}}
-- expect: too_deep
select {{24*(select }}1{{24*)}}
-- expect: too_deep
select 1 where {{20*exists (select 1 where }}true{{20*)}}
-- expect: too_deep
select 1 where {{20*1 in (select 1 where }}true{{20*)}}
-- expect: too_deep
with a as (select (select (select 1)) as x), b as (select (select (select x from a)) as x) select (select x from b)
-- expect: ok
select (select (select (select (select 1))))
-- expect: too_deep
{{15*select * from ((}}select 1{{15*))}}
-- expect: too_deep
{{15*select * from ((}}select 1
-- expect: too_deep or syntax
select {{30*trim(}}1 from
-- expect: too_deep or syntax
select {{30*substring(}}1 from
-- expect: too_deep or syntax
select {{30*position(}}1
-- expect: too_deep or syntax
select {{30*cast(}}1
-- expect: too_deep or syntax
select {{30*abs(}}1
-- expect: too_deep or syntax
select {{30*1 in (}}1
-- expect: too_deep or syntax
select {{28*case when interval(}}1
-- expect: too_deep
select {{100*case when true then }}1{{100* end}}
-- expect: too_deep
select {{100*abs(}}1{{100*)}}
-- expect: too_deep or too_complex
select {{3000*not }}true
-- expect: too_deep or too_complex
select {{5000*- }}1
-- expect: too_deep or too_complex or construct or syntax
select {{4000*~ }}1
-- expect: too_deep
select {{300*[}}1
-- expect: too_complex
select {{6000*1+}}1
-- expect: too_complex
select {{8000*1*}}1
-- expect: too_complex
select 1{{2500*::int}}
-- expect: too_complex
select 1{{1500* is null}}
-- expect: too_complex
select value{{2000* = 1}} from published.v01
-- expect: too_complex or syntax or too_deep
select a{{5000*.a}}
-- expect: too_complex or syntax or too_deep or unknown_function
select 1{{4000*[1]}}
-- expect: too_deep or too_complex or syntax
select {{1000*interval }}'1 day'
-- expect: too_deep or too_complex or syntax or unknown_column
select {{1000*date }}'2024-01-01'
-- expect: too_deep or too_complex or syntax
select {{1000*exists }}(select 1)
-- expect: too_complex
select * from published.v01 where {{600*value = 1 or }}value = 2
-- expect: too_complex or meaning
select {{2000*1,}}1
-- expect: too_complex or too_deep
{{900*select 1 union }}select 1
-- expect: too_complex or too_deep
{{800*select 1 union all }}select 1
-- expect: too_complex
select count(*) from published.v01{{100*, published.v01}}
-- expect: too_complex
with a as (select * from published.v01), b as (select 1 as x from a a1, a a2, a a3, a a4), c as (select 1 as x from b b1, b b2, b b3, b b4), d as (select 1 as x from c c1, c c2, c c3, c c4) select * from d
-- expect: too_complex or too_deep
with a0 as (select 1 as x), a1 as (select l.x from a0 l, a0 r), a2 as (select l.x from a1 l, a1 r), a3 as (select l.x from a2 l, a2 r), a4 as (select l.x from a3 l, a3 r), a5 as (select l.x from a4 l, a4 r), a6 as (select l.x from a5 l, a5 r), a7 as (select l.x from a6 l, a6 r), a8 as (select l.x from a7 l, a7 r), a9 as (select l.x from a8 l, a8 r), b1 as (select l.x from a9 l, a9 r), b2 as (select l.x from b1 l, b1 r), b3 as (select l.x from b2 l, b2 r) select count(*) from b3
-- expect: too_complex
select province, count(*) from published.v01 group by cube (edition, measure, time_period, province, sex, age_group, value, lo95, hi95, obs_status)
-- expect: too_complex
select count(*) from published.v01 group by rollup (edition, measure, time_period, province, sex), rollup (age_group, value, lo95, hi95), cube (unit, as_of)
-- expect: too_complex
select x from (select x + x + x + x + x + x + x + x as x from (select x + x + x + x + x + x + x + x as x from (select x + x + x + x + x + x + x + x as x from (select x + x + x + x + x + x + x + x as x from (select x + x + x + x + x + x + x + x as x from (select value as x from published.v01) a) b) c) d) e) f where x > 0
-- expect: ok
select {{26*abs(}}1{{26*)}}
-- expect: too_complex
select {{26*coalesce(}}1{{26*, 2)}}
-- expect: too_complex
select {{26*nullif(}}1{{26*, 2)}}
-- expect: too_complex or meaning
select {{26*(}}1{{26* between 1 and 2)}}
-- expect: too_complex or too_deep
select {{15*(case when }}province = 'x'{{15* then true else false end)}} from published.v01
-- expect: too_complex or meaning
select {{26*(}}true{{26* in (true, false, null))}}
-- expect: too_complex
select {{20*coalesce(}}value{{20*, value, value, value)}} from published.v01
-- expect: ok or time_limit or memory_limit
select count(*) from published.v01, reference.province p0, reference.province p1, reference.province p2, reference.province p3, reference.province p4, reference.province p5, reference.province p6, reference.province p7, reference.province p8, reference.province p9, reference.province p10, reference.province p11, reference.province p12, reference.province p13, reference.province p14, reference.province p15, reference.province p16, reference.province p17, reference.province p18, reference.province p19, reference.province p20, reference.province p21, reference.province p22, reference.province p23, reference.province p24, reference.province p25
-- expect: time_limit or memory_limit
select count(*) from published.indicator_values a, published.indicator_values b, published.indicator_values c, published.indicator_values d where a.value + b.value + c.value > d.value + 1000000000000
-- expect: time_limit or memory_limit
select count(*) from published.indicator_values a, published.indicator_values b, published.indicator_values c, published.indicator_values d where concat(a.time_period, b.time_period, c.time_period, d.time_period) like '%z'
-- expect: time_limit or memory_limit
select a.value from published.indicator_values a where exists (select 1 from published.indicator_values b, published.indicator_values c, published.indicator_values d where a.value + b.value + c.value > d.value + 1000000000000)
-- expect: time_limit or memory_limit
select count(*) from published.indicator_values a left join published.indicator_values b on a.edition = b.edition left join published.indicator_values c on a.edition = c.edition left join published.indicator_values d on a.edition = d.edition left join published.indicator_values e on a.edition = e.edition and a.value + b.value + c.value + d.value > e.value + 1000000000000
-- expect: memory_limit
select x || x || x || x || x || x || x || x from (select x || x || x || x || x || x || x || x as x from (select x || x || x || x || x || x || x || x as x from (select x || x || x || x || x || x || x || x as x from (select '{{100*x}}' as x) a) b) c) d
-- expect: memory_limit
select replace(replace(replace('{{1000*a}}', 'a', '{{1000*a}}'), 'a', '{{1000*a}}'), 'a', '{{1000*a}}')
-- expect: memory_limit
select lpad('x', 1000000000, 'y')
-- expect: memory_limit
select rpad(en, 2000000000) from reference.province
-- expect: memory_limit
select lpad('x', cast(population as bigint)) from reference.population
-- expect: too_complex
select en like '{{3000*%a}}' from reference.province
-- expect: row_limit
select a.value from published.indicator_values a, published.indicator_values b, published.indicator_values c
-- expect: time_limit or memory_limit
select count(*) from published.indicator_values a, published.indicator_values b, published.indicator_values c, published.indicator_values d where a.value + b.value + c.value > d.value
-- expect: time_limit or memory_limit
select sum(a.value * b.value * c.value) from published.indicator_values a, published.indicator_values b, published.indicator_values c, published.indicator_values d, reference.province e, reference.population f
-- expect: time_limit or memory_limit
select a.time_period, b.time_period, c.time_period, d.time_period, count(*) from published.indicator_values a, published.indicator_values b, published.indicator_values c, published.indicator_values d group by 1, 2, 3, 4
-- expect: time_limit or memory_limit
select count(distinct concat(a.time_period, b.province, c.time_period, d.time_period, cast(a.value as text), cast(b.value as text), cast(c.value as text))) from published.indicator_values a, published.indicator_values b, published.indicator_values c, published.indicator_values d
-- expect: time_limit or memory_limit
select * from published.indicator_values a, published.indicator_values b, published.indicator_values c order by a.value + b.value + c.value desc limit 100001
-- expect: time_limit or memory_limit
select max(r) from (select row_number() over (order by a.value, b.value, c.value) r from published.indicator_values a, published.indicator_values b, published.indicator_values c, published.indicator_values d) x
-- expect: time_limit or memory_limit
select max(s) from (select sum(a.value) over () s from published.indicator_values a, published.indicator_values b, published.indicator_values c, published.indicator_values d) x
-- expect: time_limit or memory_limit
select median(a.value + b.value + c.value) from published.indicator_values a, published.indicator_values b, published.indicator_values c, published.indicator_values d
-- expect: time_limit or memory_limit
select count(*) from (select distinct a.value, b.value, c.value, d.time_period from published.indicator_values a cross join published.indicator_values b cross join published.indicator_values c cross join published.indicator_values d) x
-- expect: time_limit or memory_limit
select count(*) from published.indicator_values a full join published.indicator_values b on a.value > b.value full join published.indicator_values c on b.value > c.value full join published.indicator_values d on c.value + a.value > d.value
-- expect: time_limit or memory_limit or row_limit
select * from published.indicator_values natural join published.v01 cross join published.c01 cross join published.v02 cross join reference.population
-- expect: expression
select 1 / (value - value) from published.v01 where value is not null
-- expect: expression
select cast(province as integer) from published.v01
-- expect: expression
select cast(province as date) from published.v01
-- expect: expression
select (select value from published.v01) from published.v02
-- expect: expression or meaning
select cast(value * 1000000000000000000 as integer) from published.v01 where value is not null
-- expect: expression or meaning
select value * value * value * value * value * value * value * value from published.v01
-- expect: meaning
select value + province from published.v01 where value + true
-- expect: meaning
select province, sum(value) from published.v01
-- expect: meaning
select value from published.v01 a, published.v01 b
-- expect: meaning
select sum(sum(value)) from published.v01
-- expect: meaning
select * from published.v01 where sum(value) > 1
-- expect: meaning
select 1 union select 1, 2
-- expect: meaning
select * from published.v01 limit -1
-- expect: meaning or syntax
select * from published.v01 limit 'x'
-- expect: meaning or construct
select date '2024-99-99'
-- expect: meaning or expression or construct
select date '2024-01-01' + interval '999999999 years'
-- expect: meaning or expression or construct
select make_date(2147483647, 13, 45)
-- expect: meaning or expression or construct
select chr(2147483647), cast(99999999999999999999999 as bigint)
-- expect: meaning
select * from published.v01 as known on '2025-02-01'' or ''1'' = ''1'
-- expect: meaning
select * from published.v01 as known on (select max(as_of) from published.editions)
-- expect: meaning
select * from published.v01 as known on '0000-00-00'
-- expect: meaning
select * from published.v01 as known on '2025-02-30'
-- expect: meaning
select * from published.v01 as known on ''
-- expect: meaning
select * from published.v01 as known on '{{4000*9}}-01-01'
-- expect: meaning
-- params: [null]
select * from published.v01 as known on $1
-- expect: meaning
-- params: ["2025-02-01' union all select * from published.v01 --"]
select * from published.v01 as known on $1
-- expect: parameter
select * from published.v01 as known on $1
-- expect: no_edition_on_date
select * from published.v01 as known on '9999-12-31'
-- expect: no_edition_on_date
select * from published.v01 as known on '0001-01-01'
-- expect: syntax
select * from published.v01{{600* as known on '2025-02-01'}}
-- expect: too_complex
select * from published.v01 as known on '2025-02-01' {{200*, v01 as known on '2025-02-01'}}
-- expect: too_deep
select * from published.v01 as known on {{500*(}}'2025-02-01'{{500*)}}
-- expect: too_deep or syntax
select * from {{60*(select * from }}published.v01 as known on '2025-02-01'{{60*)}}
-- expect: syntax
select * from published.v01 as known on
-- expect: syntax
select * from published.v01 as known on date
-- expect: syntax
select * from published.v01 for system_time as of
-- expect: syntax
select * from (published.v01) as known on '2025-02-01'
-- expect: syntax
select 1 as known on '2025-02-01'
-- expect: syntax or construct
select * from published.v01 at (timestamp => '2025-02-01') b, published.v01 timestamp as of '2025-02-01'
-- expect: construct
select * from published.v01 version as of 1
-- expect: construct
select * from information_schema.tables as known on '2025-02-01'
-- expect: unknown_table
select * from "published@1".v01 as a, published.v01 as known on '2025-02-01' as b
-- expect: unknown_table
select * from events as known on '2025-02-01'
-- expect: unknown_table or key_needed
select count(*) from victims as known on '2025-02-01'
