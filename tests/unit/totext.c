// SPDX-License-Identifier: GPL-2.0-only
/*
 * totext.c - what the printers say, word for word, and that damaged blocks cannot upset them.
 *
 * The sink writes one line of JSON-like text.  It checks that objects are closed as they were
 * opened, that every item of an object has a key and none of an array has, and that no key comes
 * twice in one object.
 */
#include "seed.h"

#define GARBAGE		5000
#define DEPTH_MAX	16
#define KEYS_MAX	64

struct level {
	bool array;
	bool more;
	unsigned int nkeys;
	const char *key[KEYS_MAX];
};

static struct sfs_fs fs;
static char text[1 << 20];
static size_t used;
static struct level level[DEPTH_MAX];
static unsigned int depth;
static volatile u8 all_read;

__attribute__((format(printf, 1, 2)))
static void put(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text + used, sizeof(text) - used, fmt, ap);
	va_end(ap);
	TAP_REQUIRE(n >= 0 && (size_t)n < sizeof(text) - used, "seed %" PRIu64 ": text fits",
		    ram_seed);
	used += n;
}

static void item(const char *key)
{
	struct level *l = &level[depth];
	unsigned int i;

	TAP_REQUIRE(l->array == !key, "seed %" PRIu64 ": key exactly in objects", ram_seed);
	put(l->more ? "," : "");
	l->more = true;
	if (!key)
		return;
	for (i = 0; i < l->nkeys; i++)
		TAP_REQUIRE(strcmp(l->key[i], key), "seed %" PRIu64 ": one %s", ram_seed, key);
	TAP_REQUIRE(l->nkeys < KEYS_MAX, "few enough keys");
	l->key[l->nkeys++] = key;
	put("%s:", key);
}

static void open_item(struct sfs_text *out, const char *key, bool array)
{
	(void)out;
	item(key);
	put(array ? "[" : "{");
	TAP_REQUIRE(++depth < DEPTH_MAX, "seed %" PRIu64 ": not too deep", ram_seed);
	level[depth] = (struct level){ .array = array };
}

static void close_item(struct sfs_text *out)
{
	(void)out;
	TAP_REQUIRE(depth, "seed %" PRIu64 ": something is open", ram_seed);
	put(level[depth--].array ? "]" : "}");
}

static void num_item(struct sfs_text *out, const char *key, u64 value)
{
	(void)out;
	item(key);
	put("%" PRIu64, value);
}

static void hex_item(struct sfs_text *out, const char *key, u64 value)
{
	(void)out;
	item(key);
	put("0x%" PRIx64, value);
}

static void time_item(struct sfs_text *out, const char *key, s64 ns)
{
	(void)out;
	item(key);
	put("%" PRId64 "ns", ns);
}

static void bytes_item(struct sfs_text *out, const char *key, const u8 *p, unsigned int nbytes)
{
	(void)out;
	item(key);
	put("<");
	while (nbytes--)
		put("%02x", *p++);
	put(">");
}

static void str_item(struct sfs_text *out, const char *key, const char *s, unsigned int nbytes)
{
	(void)out;
	item(key);
	put("'%.*s'", (int)nbytes, s);
	/* A printer that gives a wrong length is caught by reading it all. */
	while (nbytes--)
		all_read ^= (u8)s[nbytes];
}

static struct sfs_text sink = {
	.open = open_item,
	.close = close_item,
	.num = num_item,
	.hex = hex_item,
	.time = time_item,
	.str = str_item,
	.bytes = bytes_item,
};

static void begin(void)
{
	used = 0;
	depth = 0;
	text[0] = 0;
	level[0] = (struct level){ .array = false };
}

static void expect(const char *want, const char *what)
{
	if (!TAP_OK(!strcmp(text, want) && !depth, "%s", what))
		printf("# got  %s\n# want %s\n", text, want);
}

static void test_head(void)
{
	struct sfs_head head = {
		.h_magic = cpu_to_le32(SFS_MAGIC_NODE),
		.h_crc = cpu_to_le32(0xabcd),
		.h_blk = cpu_to_le64(77),
		.h_owner = cpu_to_le64(9),
		.h_seq = cpu_to_le64(1ULL << 40),
		.h_fsid = cpu_to_le32(0x1f),
		.h_generation = cpu_to_le32(0x20),
	};

	begin();
	sfs_head_totext(&sink, &head);
	expect("head:{magic:0x4e534653,kind:'btree node',crc:0xabcd,blk:77,owner:9,"
	       "seq:1099511627776,fsid:0x1f,generation:0x20,live:0x0}", "head");
}

static void test_records(void)
{
	static const u8 dirent[] = { 8, 1, 0, 0, 0, 0, 0, 0, SFS_TYPE_DIR, 2, 'h', 'i' };
	struct sfs_extent_disk ext = { cpu_to_le64(500 | SFS_EXTENT_UNWRITTEN), cpu_to_le32(7) };

	begin();
	sfs_record_totext(&sink, sfs_key(SFS_KIND_EXTENT, 12), &ext, sizeof(ext));
	expect("kind:'extent',pos:12,start:500,len:7,unwritten:1", "extent");
	begin();
	sfs_record_totext(&sink, sfs_key(SFS_KIND_DIRENT, 0xabc00), dirent, sizeof(dirent));
	expect("kind:'dirent',pos:0xabc00,ino:264,type:'directory',len:2,name:'hi'", "dirent");
	begin();
	sfs_record_totext(&sink, sfs_key(SFS_KIND_INLINE, 0), "to/here", 7);
	expect("kind:'inline',pos:0x0,data:'to/here'", "symlink target");
	begin();
	sfs_record_totext(&sink, sfs_key(SFS_KIND_EXTENT, 12), &ext, 3);
	expect("kind:'extent',pos:12,data:<f40100>", "damaged extent");
	begin();
	sfs_record_totext(&sink, sfs_key(SFS_KIND_DIRENT, 0), dirent, 4);
	expect("kind:'dirent',pos:0x0,data:<08010000>", "damaged dirent");
	begin();
	sfs_record_totext(&sink, sfs_key(9, 1), dirent, 1);
	expect("kind:'unknown',pos:0x1,data:<08>", "unknown record");
}

static void test_inode(void)
{
	struct sfs_inode_disk disk;
	struct sfs_inode in;

	sfs_inode_init(&in, &fs, 8001, SFS_TYPE_REG << SFS_TYPE_SHIFT | 0640, -3);
	in.i_uid = 1;
	in.i_gid = 2;
	in.i_nlink = 3;
	in.i_projid = 4;
	in.i_flags = SFS_INODE_ORPHAN | SFS_INODE_NODUMP | 1u << 31;
	in.i_generation = 0x5a;
	in.i_size = 1ULL << 40;
	in.i_blocks = 6;
	in.i_change = 7;
	memset(&disk, 0, sizeof(disk));
	sfs_inode_encode(&in, &disk);
	begin();
	sfs_inode_totext(&sink, 8001, &disk);
	expect("ino:8001,type:'file',mode:0x81a0,uid:1,gid:2,nlink:3,projid:4,flags:0x80000009,"
	       "flag_names:['orphan','nodump'],"
	       "generation:0x5a,rdev:0x0,size:1099511627776,blocks:6,atime:-3ns,mtime:-3ns,"
	       "ctime:-3ns,btime:-3ns,change:7,parent:0,"
	       "root:{count:0,heap:364,dead:0,level:0,records:[]}", "inode");
	disk.i_flags = cpu_to_le32(0xfff);
	begin();
	sfs_inode_totext(&sink, 8001, &disk);
	TAP_OK(strstr(text, "flags:0xfff,flag_names:['orphan','append','immutable','nodump','noatime',"
		      "'sync','dirsync','projinherit','casefold','encrypt','verity','nodatacow'],gen"),
	       "all flags: %s", text);
	disk.i_flags = 0;
	disk.i_zero16 = cpu_to_le16(0x102);
	begin();
	sfs_inode_totext(&sink, 8001, &disk);
	TAP_OK(strstr(text, "parent:0,zero16:<0201>,root:{"), "bytes that should be zero: %s", text);
	TAP_OK(strstr(text, "flags:0x0,generation:"), "no flags, no words");
}

static void test_super(void)
{
	struct sfs_super_disk *sup = calloc(1, SFS_BLOCK_SIZE);

	memcpy(sup->s_ident, SFS_IDENT, 8);
	memset(sup->s_label, 'L', SFS_LABEL_MAX);	/* not ended by NUL */
	memcpy(sup->s_error_why, "because", 7);
	sup->s_sequence = cpu_to_le64(77);
	sup->s_blocks = cpu_to_le64(1234);
	sup->s_hash_key[1] = cpu_to_le64(16);
	sup->s_mkfs_time = cpu_to_le64(5);
	begin();
	sfs_super_totext(&sink, sup);
	expect("ident:<53494d504c454653>,uuid:<00000000000000000000000000000000>,"
	       "label:'LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL',"
	       "compat:0x0,ro_compat:0x0,incompat:0x0,block_bits:0,version:0,blocks:1234,zones:0,"
	       "journal_start:0,journal_blocks:0,tail:0,state:0x0,"
	       "state_names:['in use or interrupted'],errors:0,"
	       "journal_uuid:<00000000000000000000000000000000>,hash_key:[0x0,0x10],root:0,"
	       "free:0,inodes:0,fsid:0x0,mounts:0,mkfs_time:5ns,mount_time:'never',write_time:0ns,"
	       "check_time:'never',error_time:'never',error_blk:0,error_ino:0,error_count:0,"
	       "error_why:'because',sequence:77,hidden:[0,0,0,0],stripe_unit:0,stripe_width:0", "superblock");
	free(sup);
}

static void test_bitmap(void)
{
	struct sfs_bitmap_disk *map = calloc(1, SFS_BLOCK_SIZE);

	map->b_count = cpu_to_le32(9);
	sfs_bits_set(map->b_bits, 0, 3);
	sfs_bits_set(map->b_bits, 100, 50);
	begin();
	sfs_bitmap_totext(&sink, map, 120);
	expect("count:9,bits_set:23,"
	       "runs:[{bit:0,nbits:3},{bit:100,nbits:20}]", "bitmap, as far as the group goes");
	memset(map->b_bits, 0xff, sizeof(map->b_bits));
	begin();
	sfs_bitmap_totext(&sink, map, ~0u);
	expect("count:9,bits_set:32256,"
	       "runs:[{bit:0,nbits:32256}]", "full bitmap, asked for too much");
	free(map);
}

/* Blocks of each kind filled with anything: each is printed whole and nothing beside it is read. */
static void test_garbage(void)
{
	static const u32 magics[] = { SFS_MAGIC_SUPER, SFS_MAGIC_USED, SFS_MAGIC_INODES,
				      SFS_MAGIC_NODE, SFS_MAGIC_NODE, SFS_MAGIC_JOURNAL_DEV,
				      0x12345678 };
	struct sfs_head *head;
	unsigned int i, n, zeros;
	u8 *data;

	for (n = 0; n < GARBAGE; n++) {
		data = malloc(SFS_BLOCK_SIZE);	/* with a red zone behind it */
		zeros = ram_random(4);
		for (i = 0; i < SFS_BLOCK_SIZE; i++)
			data[i] = ram_random(4) < zeros ? 0 : ram_random(256);
		head = (struct sfs_head *)data;
		head->h_magic = cpu_to_le32(magics[n % (sizeof(magics) / sizeof(magics[0]))]);
		begin();
		sfs_block_totext(&sink, data);
		TAP_REQUIRE(!depth && used, "seed %" PRIu64 ": block %u is printed", ram_seed, n);
		free(data);
	}
	TAP_OK(true, "%d blocks of garbage", GARBAGE);
}

int main(int argc, char **argv)
{
	ram_seed_from(argc, argv, 1);
	test_head();
	test_records();
	test_inode();
	test_super();
	test_bitmap();
	test_garbage();
	return tap_done();
}
