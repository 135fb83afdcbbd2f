# SPDX-License-Identifier: GPL-2.0-only
# The house rules on lines, functions and single files; called by lint.sh, which explains.
#
# Input: one line a file, "kind<TAB>path". C is judged with its comments and the text of its
# strings blanked, so that a word in prose breaks no rule; scripts with their comments blanked.
# With -v messages=1 the input is the C files themselves, and only repeated messages are sought.

function fail(line, why) { printf "%s:%d: %s\n", path, line, why }
function warn(line, why) { printf "%s:%d: warning: %s\n", path, line, why }
function below(dir) { return index(path, dir) == 1 }
function width(s,   i, n)
{
	n = 0
	for (i = 1; i <= length(s); i++)
		n = substr(s, i, 1) == "\t" ? n + 8 - n % 8 : n + (substr(s, i, 1) !~ /[\200-\277]/)
	return n
}

# Blank comments and string contents; in_comment lives from line to line.
function code_of(s,   r, n)
{
	r = ""
	while (s != "") {
		if (in_comment) {
			n = index(s, "*/")
			if (!n)
				return r
			s = substr(s, n + 2)
			in_comment = 0
			r = r " "
		} else if (match(s, /^[^"'\/]+/) || match(s, /^'(\\.|[^'\\])*'/)) {
			r = r substr(s, 1, RLENGTH)
			s = substr(s, RLENGTH + 1)
		} else if (match(s, /^"(\\.|[^"\\])*"/)) {
			r = r "\"\""
			s = substr(s, RLENGTH + 1)
		} else if (substr(s, 1, 2) == "//") {
			return r
		} else if (substr(s, 1, 2) == "/*") {
			in_comment = 1
			s = substr(s, 3)
		} else {
			r = r substr(s, 1, 1)
			s = substr(s, 2)
		}
	}
	return r
}

function function_end(line,   n)
{
	n = line - fn_start + 1
	if (n > 80)
		fail(fn_start, "function of " n " lines, the limit is 80")
	else if (n > 60)
		warn(fn_start, "function of " n " lines, better below 60")
	fn_start = 0
}

# What may be said in one file only. `c` is a line of code.
function rooms(line, c)
{
	if (c ~ /LINUX_VERSION_CODE|KERNEL_VERSION *\(|(^|[^A-Za-z0-9_])SFS_SINCE *\(/ &&
	    path != "src/kernel/compat.h")
		fail(line, "kernel version test outside src/kernel/compat.h")
	if (c ~ /(^|[^A-Za-z0-9_])SFS_HAVE_/ && path != "src/kernel/compat.h")
		warn(line, "feature test outside src/kernel/compat.h")
	if (c ~ /__KERNEL__/ && path != "src/core/port.h")
		fail(line, "__KERNEL__ outside src/core/port.h")
	if (c ~ /(^|[^A-Za-z0-9_])jbd2_/ && path !~ /^src\/kernel\/(journal|trans|buf)\.c$/)
		fail(line, "jbd2_ outside src/kernel/{journal,trans,buf}.c")
	if (c ~ /(^|[^A-Za-z0-9_])(struct buffer_head|sb_bread|sb_getblk|__bread|__getblk|brelse|mark_buffer_dirty)([^A-Za-z0-9_]|$)|<linux\/buffer_head.h>/ &&
	    path !~ /^src\/kernel\/(buf\.[ch]|journal\.c)$/)
		fail(line, "buffer heads outside src/kernel/buf.[ch] and journal.c")
	if (c ~ /(^|[^A-Za-z0-9_])panic *\(/ && path != "src/kernel/error.c")
		fail(line, "panic() outside the errors= policy in src/kernel/error.c")
	if (c ~ /(^|[^A-Za-z0-9_])BUG(_ON)? *\(/)
		fail(line, "BUG_ON: report corruption, or assert with WARN_ON_ONCE")
}

function core_includes(line, raw,   name)
{
	name = raw
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
	gsub(/[<">]|[ \t].*$/, "", name)
	if (path == "src/core/port.h" && name ~ /^(\.\.\/(kernel|lib)\/)?port-(kernel|user)\.h$/)
		return
	# One header private to the files of one room: the node as the tree's files see it.
	if (path ~ /^src\/core\/btree/ && name == "btree_node.h")
		return
	# Parts of core.h, for its length.
	if (path == "src/core/core.h" && name ~ /^(btree|busy|grow|label|quota|reach|shift|totext|xattr|zone)\.h$/)
		return
	if (name !~ /^(port|format|core)\.h$/)
		fail(line, "core includes only port.h, format.h and core.h, not " name)
}

# On disk every integer says its byte order, and every struct asserts its size.
function disk_format(line, c)
{
	if (match(c, /^struct [a-z0-9_]+ \{/)) {
		disk_struct = c
		sub(/^struct /, "", disk_struct)
		sub(/ \{.*/, "", disk_struct)
		disk_line[disk_struct] = line
	} else if (c ~ /^\}/) {
		disk_struct = ""
	} else if (disk_struct != "" && c ~ /[^ \t{}]/ &&
		   c !~ /^[ \t]*(const )?(__le(16|32|64)|__u8|u8|char|struct [a-z0-9_]+|union) / &&
		   c !~ /^[ \t]*(union|struct) *\{/ && c !~ /^[ \t]*\}/)
		fail(line, "not a type with a byte order (__le16/32/64, u8, char): " c)
	if (match(c, /static_assert\(sizeof\(struct [a-z0-9_]+\)/)) {
		name = substr(c, RSTART, RLENGTH)
		gsub(/.*struct |\)/, "", name)
		asserted[name] = 1
	}
}

function c_line(line, raw,   c)
{
	if (raw ~ /^        /)
		fail(line, "spaces where a tab belongs")
	if (raw !~ /"/ && width(raw) > 100)
		fail(line, "line over 100 columns")
	c = code_of(raw)
	rooms(line, c)
	if (c ~ /^[ \t]*#[ \t]*if 0|(^|[^A-Za-z0-9_])if \(0\)/)
		fail(line, "dead code under if (0)")
	if (below("src/core/") && c ~ /^[ \t]*#[ \t]*include/)
		core_includes(line, raw)
	if (path == "src/core/format.h")
		disk_format(line, c)
	if (below("tests/") && c ~ /(^|[^A-Za-z0-9_])(sleep|usleep|nanosleep) *\(/)
		fail(line, "sleep in a test: wait for the event itself")
	if (c ~ /^\{/)
		fn_start = line
	else if (c ~ /^\}/ && fn_start)
		function_end(line)
}

function script_line(line, raw,   c)
{
	c = raw
	sub(/(^|[ \t])#.*/, "", c)
	if (kind == "shell" && c ~ /^[A-Za-z_][A-Za-z0-9_]*\(\)/)
		fn_start = line
	else if (kind == "shell" && c ~ /^\}/ && fn_start)
		function_end(line)
	if (kind == "python" && c ~ /^[^ \t)]/ && fn_start) {
		fn_start = python_last && python_last - fn_start + 1 > 0 ? fn_start : 0
		if (fn_start)
			function_end(python_last)
	}
	if (kind == "python" && c ~ /^[ \t]*(async )?def /) {
		if (fn_start)
			function_end(python_last)
		fn_start = line
	}
	if (c ~ /[^ \t]/)
		python_last = line
	if (below("tests/") && path !~ /^tests\/vm\/[^\/]*\.py$/ &&
	    c ~ /(^|[;&|( \t.])sleep([ \t(]+[0-9$]|$)/)
		fail(line, "sleep in a test: wait for the event itself")
}

function any_line(line, raw)
{
	if (raw ~ /[ \t\r]$/)
		fail(line, "white space at the end of the line")
	if (raw ~ /(^|[^A-Za-z0-9_])(TODO|FIXME|XXX)([^A-Za-z0-9_]|$)/ &&
	    raw !~ /(TODO|FIXME)\([a-z][^)]*\): [^ ]+ [^ ]+/ && path !~ /^tests\/(lint\.awk|static\/.*lint.*)$/)
		fail(line, "TODO without a name and a reason: TODO(name): reason")
	if (raw ~ /(^|[^A-Za-z0-9_.])\/work\//)
		fail(line, "path of somebody's workplace")
	if (kind != "prose" && kind != "man" && raw ~ /https?:\/\/[a-z0-9]/)
		fail(line, "network address: hosts come from the system's configuration")
}

# The licence first, then what the file is for.
function head(first, second, third,   at)
{
	at = first ~ /^#!/ || (kind == "man" && first ~ /^'/) ? second : first
	if (at !~ /SPDX-License-Identifier: GPL-2\.0-only( OR MIT)?/)
		fail(1, "no SPDX-License-Identifier: GPL-2.0-only in the first line")
	if (kind == "c" && second !~ /^\/\*/ ||
	    (kind == "shell" || kind == "python") && (first ~ /^#!/ ? third : second) !~ /^(#.|"""|r""")/)
		fail(2, "no comment that says what the file owns")
}

function one_file(   line, raw, lines, s)
{
	in_comment = fn_start = python_last = 0
	disk_struct = ""
	for (line = 1; (getline raw < path) > 0; line++) {
		lines[line] = raw
		any_line(line, raw)
		if (kind == "c")
			c_line(line, raw)
		else if (kind == "shell" || kind == "python")
			script_line(line, raw)
	}
	close(path)
	if (kind == "python" && fn_start)
		function_end(python_last)
	if (kind != "prose" && kind != "man" && line - 1 > 600)
		fail(601, "file of " (line - 1) " lines, the limit is 600")
	if (kind == "c" || kind == "shell" || kind == "python" || kind == "man")
		head(lines[1], lines[2], lines[3])
	if (path == "src/core/format.h")
		for (s in disk_line)
			if (!(s in asserted))
				fail(disk_line[s], "no static_assert of the size of struct " s)
}

# A message is the first string in a call of something that reports; short ones are labels.
function one_message(   s, text)
{
	if (FNR == 1)
		statement = ""
	if (statement == "" &&
	    $0 !~ /(^|[^A-Za-z0-9_])(pr_(err|warn)|(sfs_|cli_)?(err|error|warn|die|fatal|usage_error)[a-z_]*|errorf|invalf|warnf)\(/)
		return
	if (statement == "")
		statement_line = FNR
	statement = statement $0
	if (statement !~ /;[ \t]*$|\{[ \t]*$/ && length(statement) < 2000)
		return
	s = statement
	statement = ""
	if (!match(s, /"(\\.|[^"\\])*"/) || RLENGTH < 14)
		return
	text = substr(s, RSTART, RLENGTH)
	if (text in told)
		printf "%s:%d: message already given at %s: %s\n", FILENAME, statement_line, told[text], text
	else
		told[text] = FILENAME ":" statement_line
}

messages { one_message(); next }
{
	kind = $0
	sub(/\t.*/, "", kind)
	path = $0
	sub(/^[^\t]*\t/, "", path)
	one_file()
}
