-- A21 of privacy.md 7.2: ways around the barrier between records and released cells. Asked over HTTP by `cargo test -p
-- attacks`. A statement has the code of its refusal, or `ok` and the plain question that it must be answered like.

-- 1 entropy outside the aggregate
-- expect: PRIV-1007
select count(*) from victims where random() < 0.5
-- expect: PRIV-1007 or unknown_function
select count(*) n from victims having random() < 0.5
-- 2 LIMIT inside
-- expect: PRIV-1003
select count(*) from (select sex from victims limit 12) t
-- 3 volatile in CASE
-- expect: PRIV-1007
select count(*) from victims where case when random() < 0.5 then sex = 'F' else sex = 'M' end
-- 4 lateral joins
-- expect: PRIV-1005 or PRIV-1003 or PRIV-1006 or construct
select count(*) from reference.sex s, lateral (select * from victims v where v.sex = s.code) t
-- 5 correlated subqueries in HAVING
-- expect: PRIV-1006 or PRIV-1003
select sex, count(*) from victims group by sex having count(*) > (select count(*) from victims w where w.sex = victims.sex and w.year = 2024)
-- 6 views
-- expect: PRIV-1010
create view v as select * from victims
-- 7 a CTE used twice is one question
-- expect: ok
-- means: select count(*) a, count(*) b from victims where year = 2024
with t as (select count(*) n from victims where year = 2024) select a.n, b.n from t a, t b
-- 8 UNION below the aggregate
-- expect: PRIV-1003
select count(*) from (select sex from victims union all select sex from victims where sex = 'F') t
-- 9 join fan-out
-- expect: PRIV-1005
select count(*) from victims v join (values ('F'), ('F'), ('F')) as t(s) on v.sex = t.s
-- expect: PRIV-1005
select count(*) from victims cross join (values (1), (2)) t
-- 10 self-join on a hidden key
-- expect: PRIV-1005
select count(*) from victims a join victims b on a.person_id = b.person_id
-- 11 a window before the aggregate
-- expect: PRIV-1003
select count(*) from (select sex, row_number() over (partition by province order by month) r from victims) t where r = 1
-- 12 GROUPING SETS
-- expect: PRIV-1013 or too_complex
select count(*) from victims group by cube (sex, province, age_group, status, sector)
-- expect: ok
-- means: select count(*) from victims where year = 2024
select n from (select sex, count(*) n from victims where year = 2024 group by grouping sets ((sex), ())) t where sex is null
-- 13 count(distinct case …)
-- expect: PRIV-1002
select count(distinct case when sex = 'F' then person_id end) from victims
-- 14 names that shadow the facade
-- expect: ok
-- means: select 3
with victims as (select * from (values (1), (2), (3)) t(n)) select count(*) from victims
-- 15 look-alikes and quoted names
-- expect: unknown_table
select count(*) from vіctims
-- expect: ok
-- means: select count(*) from victims where year = 2024
select count(*) from "victims" where "year" = 2024
-- 16 a hash by arithmetic
-- expect: PRIV-1007 or PRIV-1003
select count(*) from victims where floor(100 * power(year * 2, 0.7)) % 2 = 0
-- expect: PRIV-1003
select count(*) from victims where year % 2 = 0
-- 17 a predicate pushed through an outer query
-- expect: ok
-- means: select province, count(*) from victims where year = 2024 and province = 'PK-PB' group by 1
select * from (select province, count(*) n from victims where year = 2024 group by province) t where province = 'PK-PB'
-- an error over the rows of the answer, which are the codes of the list whoever there is
-- expect: PRIV-2001
select n from (select sex, count(*) n from victims group by sex) t where sex = 'F' and 1 / (case when sex = 'F' then 1 else 0 end) = 1
-- 18 released numbers that select records
-- expect: PRIV-1006
select count(*) from victims where province in (select province from (select province, count(*) n from victims group by 1) t where n > 300)
-- 19 OR over two dimensions
-- expect: PRIV-1003
select count(*) from victims where sex = 'F' or province = 'PK-PB'
-- 20 values through an aggregate
-- expect: PRIV-1011
select sum(case when sex = 'T' then 1000000 else 1 end) from victims
-- expect: PRIV-1007 or PRIV-1011
select string_agg(sex, ',') from victims
-- 21 an empty contradiction, and a tautology
-- expect: ok
-- means: select count(*) from victims where sex = 'F' and sex = 'M' and year = 2024
select count(*) from victims where sex in ('F') and sex not in ('F')
-- expect: ok
-- means: select count(*) from victims where year = 2024
select count(*) from victims where year = 2024 and (sex = 'F' or sex <> 'F')
-- 22 two statements, comments and a semicolon
-- expect: one_statement
select 1; select * from victims
-- expect: PRIV-1003
select /* count(*) */ * from victims -- group by sex
