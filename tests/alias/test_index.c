/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash index and the slabs under the table of links: growing, shrinking, crowded buckets. */
#include "net.h"
#include "index.h"

static bool holds(struct index *ix, uint32_t hash, uint32_t id)
{
	struct index_bucket *bucket = index_bucket_of(ix, hash);
	uint32_t found;
	int slot = -1;

	while ((found = index_next(ix, &bucket, &slot, hash)))
		if (found == id)
			return true;
	return false;
}

static uint32_t mixed(uint32_t i)
{
	return i * 2654435761u ^ i >> 3;
}

static void what_goes_in_is_found_while_it_grows_and_shrinks(void **state)
{
	struct index ix;

	(void)state;
	assert_int_equal(index_init(&ix), 0);
	for (uint32_t i = 1; i <= 50000; i++)
		assert_int_equal(index_insert(&ix, mixed(i), i), 0);
	for (uint32_t i = 1; i <= 50000; i++)
		assert_true(holds(&ix, mixed(i), i));
	for (uint32_t i = 1; i <= 50000; i++) {
		index_remove(&ix, mixed(i), i);
		assert_false(holds(&ix, mixed(i), i));
		if (i % 1000 == 0)
			for (uint32_t k = i + 1; k <= 50000; k += 37)
				assert_true(holds(&ix, mixed(k), k));
	}
	assert_int_equal(ix.count, 0);
	assert_true(index_bytes(&ix) <= 64 * 1024);
	index_free(&ix);
}

static void equal_hashes_overflow_and_are_all_found(void **state)
{
	struct index ix;

	(void)state;
	assert_int_equal(index_init(&ix), 0);
	for (uint32_t i = 1; i <= 100; i++)
		index_insert(&ix, 42, i);
	for (uint32_t i = 1; i <= 1000; i++)
		index_insert(&ix, mixed(i), 1000 + i); /* splits go over the long chain */
	for (uint32_t i = 1; i <= 100; i++)
		assert_true(holds(&ix, 42, i));
	for (uint32_t i = 100; i >= 1; i--) {
		index_remove(&ix, 42, i);
		assert_false(holds(&ix, 42, i));
		for (uint32_t k = 1; k < i; k++)
			assert_true(holds(&ix, 42, k));
	}
	assert_int_equal(ix.overflow.used <= 1000 / 7, 1);
	index_free(&ix);
}

static void replace_changes_the_id_only(void **state)
{
	struct index ix;

	(void)state;
	assert_int_equal(index_init(&ix), 0);
	index_insert(&ix, 7, 1);
	index_insert(&ix, 7, 2);
	index_replace(&ix, 7, 1, 3);
	assert_false(holds(&ix, 7, 1));
	assert_true(holds(&ix, 7, 2));
	assert_true(holds(&ix, 7, 3));
	index_remove(&ix, 7, 99);
	assert_int_equal(ix.count, 2);
	index_free(&ix);
}

static void empty_makes_it_as_new(void **state)
{
	struct index ix;

	(void)state;
	assert_int_equal(index_init(&ix), 0);
	for (uint32_t i = 1; i <= 5000; i++)
		index_insert(&ix, mixed(i), i);
	index_empty(&ix);
	assert_int_equal(ix.count, 0);
	for (uint32_t i = 1; i <= 5000; i++)
		assert_false(holds(&ix, mixed(i), i));
	for (uint32_t i = 1; i <= 5000; i++)
		index_insert(&ix, mixed(i), i);
	for (uint32_t i = 1; i <= 5000; i++)
		assert_true(holds(&ix, mixed(i), i));
	index_free(&ix);
}

static void records_are_zeroed_distinct_and_given_back(void **state)
{
	static uint32_t ids[100000];
	struct pool pool;

	(void)state;
	pool_init(&pool, 64);
	for (uint32_t i = 0; i < 100000; i++) {
		ids[i] = pool_alloc(&pool);
		assert_int_not_equal(ids[i], 0);
		assert_int_equal(*(uint32_t *)pool_at(&pool, ids[i]), 0);
		*(uint32_t *)pool_at(&pool, ids[i]) = i + 1;
	}
	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(*(uint32_t *)pool_at(&pool, ids[i]), i + 1);
	assert_int_equal(pool.mapped, 4);
	for (uint32_t i = 0; i < 100000; i++)
		pool_free(&pool, ids[i]);
	assert_int_equal(pool.used, 0);
	assert_in_range(pool.mapped, 1, 2);
	assert_int_not_equal(pool_alloc(&pool), 0);
	pool_clear(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_is_found_while_it_grows_and_shrinks),
		cmocka_unit_test(equal_hashes_overflow_and_are_all_found),
		cmocka_unit_test(replace_changes_the_id_only),
		cmocka_unit_test(empty_makes_it_as_new),
		cmocka_unit_test(records_are_zeroed_distinct_and_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
