/**
 * The judgement of the guard, for awk: the same questions as `decide` asks, of the same answers, in the same order. Both
 * are held to one table of situations. Nothing in here may hold a single quote: the guard carries it between two.
 *
 * Input: `@round N`, then for each node `NODE name`, its answers (`@ask question status`, `|` before each line of
 * stdout, `!` before each line of stderr) and `@end`. Output: the verdict on the first line, then a line for each reason.
 */
export const judge = String.raw`
# --- what was said: R round, N node, Q question ---------------------------------------------------------------------
$1 == "@round" { R = $2; N = ""; next }
$1 == "NODE" { N = ((R, $2) in whole) ? "" : $2; Q = ""; next }
N == "" { next }
$1 == "@end" { whole[R, N] = 1; reported[R, ++reports[R]] = N; next }
$1 == "@ask" { Q = $2; status[R, N, Q] = $3; next }
/^!/ { if ($0 ~ /0516-010 /) absence[R, N, Q] = "off"; if ($0 ~ /0516-30[46] /) absence[R, N, Q] = "undefined"; if ($0 ~ /not on file/) unknown[R, N, Q] = 1; if ($0 ~ /^!(ERROR:|0513-|lscluster:)/) spoil(); next }
/^[|][ \t]*$/ { next }
/^\|/ { said[R, N, Q]++; hear(substr($0, 2)); next }

function hear(line) {
  if (Q == "name") hear_name(line)
  else if (Q == "manager") hear_manager(line)
  else if (Q == "groups") hear_group(line)
  else if (Q == "states") hear_state(line)
  else if (Q == "membership") hear_member(line)
  else if (Q == "peers") hear_peer(line)
  else if (Q == "labels") hear_label(line)
  else if (Q == "addresses") hear_address(line)
  else if (Q == "resources") hear_resource(line)
  else if (Q == "mounts") hear_mount(line)
  else if (Q ~ /^vg:/) hear_volume_group(line)
  else if (Q ~ /^lvs:/) hear_volume(line)
}
function spoil() { broken[R, N, Q] = 1 }

function hear_name(line) {
  if (said[R, N, Q] > 1 || line !~ /^[^ \t]+$/) spoil()
  name[R, N] = line
}
function hear_manager(line, part) {
  if (line ~ /^([^ \t]+[ \t]+)?[0-9][0-9][0-9][0-9]-[0-9][0-9][0-9]/) spoil()
  if (line ~ /^Current state:/) {
    sub(/^Current state:[ \t]*/, "", line); sub(/[ \t]+$/, "", line)
    if (line !~ /^[^ \t]+$/ || (R, N) in manager) spoil()
    manager[R, N] = line
  } else if (line ~ /^There are [^ ]+ events/) {
    split(line, part, " ")
    if (line !~ /^There are [0-9]+ events on the (RM )?Ibcast queue[ \t]*$/ || (R, N, part[7]) in queue) spoil()
    queue[R, N, part[7]] = 1
    queued[R, N] += part[3]
  } else if (line ~ /^local node vrmf/) {
    if (line !~ /^local node vrmf is [0-9][0-9][0-9][0-9][ \t]*$/ || (R, N) in vrmf) spoil()
    split(line, part, " "); vrmf[R, N] = part[5] + 0
  } else if (line ~ /^Last event run was/) {
    if (line !~ /^Last event run was [^ \t]+[ \t]+on node -?[0-9]+[ \t]*$/ || (R, N) in event) spoil()
    event[R, N] = line
  }
}
function hear_group(line, part, count) {
  count = split(line, part, ":")
  if (!((R, N) in width)) width[R, N] = count
  if (count < 3 || count != width[R, N] || part[1] !~ /^[A-Za-z0-9_.-]+$/ || part[3] !~ /^[A-Za-z0-9_.-]+$/) spoil()
  if (part[2] !~ /^[^ \t]+( [^ \t]+)*$/) spoil()
  if (part[2] ~ /^UNMANAGED/) unmanaged[R, N] = 1
  if (part[1] != group) return
  rows[R, N]++
  cell[R, N, part[3]] = cell[R, N, part[3]] part[2] "/"
  times[R, N, part[3]]++
  kind[R, N] = kind[R, N] part[4] " " part[5] "/"
  if (part[4] == "concurrent" || part[5] == "OAAN") concurrent[R, N]++
  listed[R, N, rows[R, N]] = part[3]
  state[R, N, rows[R, N]] = part[2]
}
function hear_state(line, part) {
  if (said[R, N, Q] == 1) { if (line !~ /^# NAME:STATE:RAW_STATE[ \t]*$/) spoil(); return }
  if (split(line, part, ":") != 3 || part[1] !~ /^[^ \t]+$/ || (R, N, part[1]) in node_state) spoil()
  node_state[R, N, part[1]] = part[2] "/" part[3]
  state_name[R, N, ++states[R, N]] = part[1]
}
function hear_member(line, part) {
  sub(/^[ \t]+/, "", line); sub(/[ \t]+$/, "", line)
  if (line ~ /^(lscluster|WARNING|ERROR)([^A-Za-z0-9_]|$)/ || line ~ /^([^ \t]+[ \t]+)?[0-9][0-9][0-9][0-9]-[0-9][0-9][0-9]/) spoil()
  if (line ~ /^Node query number of nodes examined: [0-9]+$/) { if (examined[R, N] != "" || members[R, N]) spoil(); split(line, part, ": "); examined[R, N] = part[2] }
  else if (line ~ /^Node name:/) { sub(/^Node name: */, "", line); at = line; if (at !~ /^[^ \t]+$/ || (R, N, at) in member) spoil(); member_at[R, N, ++members[R, N]] = at; member[R, N, at] = "" }
  else if (!members[R, N]) { if (line !~ /^Calling node query for all nodes *[.]*$/) spoil() }
  else if (line ~ /^State of node: *[^ \t]/) {
    sub(/^State of node: */, "", line); gsub(/[ \t]+/, " ", line)
    line = " " line " "
    local_member[R, N, at] = sub(/ NODE_LOCAL /, " ", line)
    sub(/^ /, "", line); sub(/ $/, "", line)
    if (told_state[R, N, at]++) spoil()
    member[R, N, at] = line
  } else if (line ~ /^(Points of contact|Number of points_of_contact) for node: *[0-9]+$/) { split(line, part, ": *"); contacts[R, N, at] = part[2]; told_contacts[R, N]++ }
}
function hear_peer(line, part, count, word) {
  if (!((R, N) in peers)) { peers[R, N] = 0; if (line !~ /^[ \t]*Name[ \t]+OpState[ \t]+RSCTVersion[ \t]*$/) spoil(); return }
  count = split(line, part, " ")
  for (word = 3; word < count; word++) { if (part[word] !~ /^[a-z]+$/) spoil(); part[2] = part[2] " " part[word] }
  if (count < 3 || part[2] !~ /^[A-Z]/ || part[count] !~ /^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$/ || (R, N, part[1]) in peer) spoil()
  peer[R, N, part[1]] = part[2]
  peers[R, N]++
}
function hear_label(line, part) {
  sub(/^[ \t]+/, "", line); sub(/[ \t]+$/, "", line)
  if (line ~ /^NODE [^ \t]+:$/) { if (labelled[R, N, line]++) spoil(); label_nodes[R, N]++; network[R, N] = 0 }
  else if (line ~ /^Interfaces to network [^ \t]+$/) { if (!label_nodes[R, N]) spoil(); network[R, N] = 1 }
  else if (line ~ /^Communication Interface: Name [^ \t]+, Attribute [^ \t]+, IP address [^ \t]+$/) {
    if (!network[R, N]) spoil()
    split(line, part, " "); sub(/,$/, "", part[4])
    label[R, N, ++label_count[R, N]] = part[4]
    label_address[R, N, label_count[R, N]] = part[9]
  } else spoil()
}
function hear_address(line, part) {
  if (line ~ /^[a-z]+[0-9]+: flags=/) { port[R, N] = 1; return }
  if (!port[R, N] || line !~ /^[ \t]/) { spoil(); return }
  if (line !~ /^[ \t]+inet6?([ \t]|$)/) return
  split(line, part, " ")
  sub(/[^0-9a-fA-F:.].*$/, "", part[2])
  if (part[1] == "inet" ? part[2] !~ /^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$/ : part[2] !~ /:/) spoil()
  address[R, N, part[2]] = 1
  addresses[R, N]++
}
function hear_resource(line, label, text) {
  if (line ~ /^Run Time Parameters:[ \t]*$/) { running[R, N] = 1; return }
  label = substr(line, 1, 52); sub(/[ \t]+$/, "", label)
  text = substr(line, 53); sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text)
  if (label !~ /^[A-Z]/ || (length(line) >= 52 && substr(line, 52, 1) != " ")) spoil()
  if (label == "Resource Group Name") { running[R, N] = 0; block[R, N] = text; blocks[R, N, text]++; return }
  if (running[R, N]) {
    if (text == "") spoil()
    if (label == "Node Name") { runtime[R, N, text] = 1; runtime_name[R, N, ++runtimes[R, N]] = text }
    labels[R, N]++
  } else if (block[R, N] == group) {
    if ((R, N, label) in resource) spoil()
    resource[R, N, label] = text
  } else if (block[R, N] == "") spoil()
}
function hear_mount(line, part, count) {
  if (said[R, N, Q] == 1) { if (line !~ /node +mounted +mounted over +vfs +date/) spoil(); return }
  if (said[R, N, Q] == 2) { if (line !~ /^[ -]+$/) spoil(); return }
  if (line !~ / [A-Z][a-z][a-z] [ 0-9][0-9] [0-9][0-9]:[0-9][0-9]([ \t]|$)/) { spoil(); return }
  if (line !~ /^[ \t]/) return
  split(line, part, " ")
  mounts[R, N]++
  device[R, N, mounts[R, N]] = part[1]
  mounted[R, N, mounts[R, N]] = part[2]
}
function hear_volume_group(line) {
  if (line !~ /^[A-Za-z][^:]*:/) spoil()
  if (line ~ /^VG STATE:/) { sub(/^VG STATE:[ \t]*/, "", line); sub(/[ \t].*/, "", line); vg_state[R, N, Q] = vg_state[R, N, Q] line }
  if (line ~ /^VG PERMISSION:/) { sub(/^VG PERMISSION:[ \t]*/, "", line); sub(/[ \t].*/, "", line); vg_mode[R, N, Q] = vg_mode[R, N, Q] line }
}
function hear_volume(line, part, copy) {
  if (said[R, N, Q] == 1) { if (line !~ /^[^ \t]+:[ \t]*$/) spoil(); return }
  if (said[R, N, Q] == 2) { if (line !~ /^LV NAME /) spoil(); return }
  # What reads a split copy has no partitions of its own, and AIX does not know whether it is stale.
  copy = line ~ /^[^ \t]+[ \t]+[^ \t]+[ \t]+0[ \t]+0[ \t]+0[ \t]/
  if (split(line, part, " ") != 7 || !(part[6] ~ /^(open|closed)\/(syncd|stale)$/ || copy && part[6] ~ /^(open|closed)\/?[?]+$/) || (part[7] != "N/A" && part[7] !~ /^\//)) { spoil(); return }
  volumes[R, N]++
  volume[R, N, volumes[R, N]] = "/dev/" part[1]
  point[R, N, volumes[R, N]] = part[7]
  split_copy[R, N, volumes[R, N]] = copy
}
function configure(node) { if (!(node in configured)) { configured[node] = 1; node_at[++nodes] = node } }

# --- what follows from it -------------------------------------------------------------------------------------------
function usable(n, q) { return status[R, n, q] == "0" && said[R, n, q] > 0 && !((R, n, q) in broken) }
function missing(n, q) { return status[R, n, q] == "127" }
# 6.1 and earlier have neither clmgr nor lscluster, and every later level has both.
function may_lack(n, q) { return missing(n, q) && (!usable(n, "manager") || vrmf[R, n] < 7100) }
function refuse(verdict, code, node, seen) { refusals[verdict]++; reason[++reasons] = code " " node ": " seen }
function doubt(code, node, seen) { refuse("undecidable", code, node, seen) }
function question(n, q, code) { if (!usable(n, q)) doubt(code, n, q " gave no usable answer (status " status[R, n, q] ")") }
function meaning(word) {
  if (word == "ONLINE") return "online"
  if (word == "OFFLINE" || word ~ /^OFFLINE [Dd]ue [Tt]o [A-Za-z ]+$/) return "offline"
  if (word == "ONLINE SECONDARY" || word == "OFFLINE SECONDARY") return "secondary"
  if (word ~ /^(ACQUIRING|RELEASING|TEMP ERROR)( SECONDARY)?$/ || word == "TEMPORARY ERROR") return "moving"
  if (word ~ /^ERROR( SECONDARY)?$/) return "error"
  if (word ~ /^UNMANAGED( SECONDARY)?$/) return "unmanaged"
  return "unknown"
}
function manager_meaning(word) {
  if (word == "ST_STABLE") return "stable"
  if (word == "ST_INIT") return "down"
  if (word ~ /^ST_(JOINING|VOTING|RP_RUNNING|BARRIER|CBARRIER|UNSTABLE)$/) return "moving"
  if (word ~ /^(ST_)?RP_FAILED$/) return "failed"
  if (word == "NOT_CONFIGURED") return "not-configured"
  return "unknown"
}
function manager_of(n) {
  if (usable(n, "manager") && (R, n) in manager) return manager_meaning(manager[R, n])
  return (R, n, "manager") in unknown && missing(n, "name") ? "not-configured" : "silent"
}
function is_member(n, word) { word = manager_of(n); return word != "down" && word != "not-configured" && word != "silent" }
function signature(r, n, i, text) {
  if (!((r, n) in whole)) return "not reachable"
  text = manager[r, n] ";" event[r, n] ";" queued[r, n] + 0 ";" rows[r, n]
  for (i = 1; i <= nodes; i++) text = text ";" cell[r, n, node_at[i]] node_state[r, n, node_at[i]]
  return text
}
function table_of(n, i, text) {
  for (i = 1; i <= nodes; i++) text = text node_at[i] " " cell[R, n, node_at[i]] " "
  return text rows[R, n] " " kind[R, n]
}
function configuration_of(n, label, text) {
  for (label = 1; label <= 6; label++) text = text resource[R, n, wanted[label]] "|"
  return text blocks[R, n, group]
}

END {
  split("Participating Node Name(s)|Startup Policy|Filesystems|Volume Groups|Concurrent Volume Groups|Service IP Label", wanted, "|")
  weigh()
  split("no-cluster unknown-group contested moving undecidable offline", order, " ")
  for (i = 1; i <= 6 && verdict == ""; i++) if (order[i] in refusals && !(stuck && order[i] == "moving")) verdict = order[i]
  if (verdict == "") verdict = holder == "" ? "undecidable" : "held " holder
  print verdict
  for (i = 1; i <= reasons; i++) print reason[i]
}

# What only the whole answer tells: whether it was cut.
function check(n, i, p, count) {
  if (!label_nodes[R, n]) broken[R, n, "labels"] = 1
  if (!addresses[R, n]) broken[R, n, "addresses"] = 1
  if (!peers[R, n]) broken[R, n, "peers"] = 1
  if (usable(n, "membership") && (examined[R, n] == "" || examined[R, n] != members[R, n] || told_contacts[R, n] != members[R, n])) broken[R, n, "membership"] = 1
  if (!usable(n, "resources")) return
  count = split(resource[R, n, wanted[1]], p, " ")
  if (!running[R, n] || runtimes[R, n] == 0 || labels[R, n] % runtimes[R, n]) broken[R, n, "resources"] = 1
  for (i = 1; i <= 5 && blocks[R, n, group]; i++) if (!((R, n, wanted[i]) in resource)) broken[R, n, "resources"] = 1
  for (i = 1; i <= count; i++) if (!((R, n, p[i]) in runtime)) broken[R, n, "resources"] = 1
}
function weigh(i, j, n, first) {
  for (i = 1; i <= reports[R]; i++) { asked[reported[R, i]] = 1; check(reported[R, i]) }
  for (n in asked) if (usable(n, "name") && name[R, n] == n) { heard[n] = 1; voices++ }
  for (i = 1; i <= reports[R]; i++) {
    n = reported[R, i]
    if (!(n in heard)) continue
    if (usable(n, "states")) for (j = 1; j <= states[R, n]; j++) configure(state_name[R, n, j])
    if (usable(n, "resources")) for (j = 1; j <= runtimes[R, n]; j++) configure(runtime_name[R, n, j])
  }
  if (nodes == 0) for (n in asked) configure(n)
  for (i = 1; i <= nodes; i++) if (!(node_at[i] in asked)) silent++
  for (n in asked) if (manager_of(n) != "not-configured") known++
  if (reports[R] > 0 && known == 0 && silent == 0) { for (n in asked) refuse("no-cluster", "NO_CLUSTER", n, "NOT_CONFIGURED"); return }
  for (n in asked) {
    if (!usable(n, "name")) question(n, "name", "NODE_NAME_UNREADABLE")
    else if (name[R, n] != n) doubt("NODE_NAME_MISMATCH", n, name[R, n])
  }
  for (n in heard) weigh_manager(n)
  for (n in heard) weigh_states(n)
  for (i = 1; i <= nodes; i++) if (!(node_at[i] in asked)) weigh_silence(node_at[i])
  # A node outside the cluster counts nobody out: it is no voice, and takes no part in what may have come apart.
  for (n in heard) { if (is_member(n)) joined++; if (manager_of(n) == "down" || manager_of(n) == "not-configured") outside++ }
  if (silent > 0 && joined * 2 <= nodes - outside && minority != "trust-the-survivors") doubt("NO_MAJORITY", "-", joined + 0 " members of " nodes - outside)
  for (i = 1; i <= reports[1]; i++) asked[reported[1, i]] = 1
  for (n in asked) if (signature(1, n) != signature(R, n)) refuse("moving", "CHANGED_MEANWHILE", n, signature(1, n) " -> " signature(R, n))

  for (i = 1; i <= reports[R]; i++) {
    n = reported[R, i]
    if (!(n in heard)) continue
    question(n, "groups", "TABLE_UNREADABLE")
    if (!usable(n, "groups")) continue
    shown++
    if (rows[R, n] > 0) knows++
    if (first == "") first = n
  }
  if (shown == voices && shown > 0 && knows == 0) { refuse("unknown-group", "GROUP_UNKNOWN", "-", group); return }
  for (n in heard) if (usable(n, "groups") && table_of(n) != table_of(first)) different = different n " "
  if (different != "") doubt("TABLES_DIFFER", "-", different "against " first)
  if (!weigh_configuration()) { weigh_group(first); return }
  if (first != "") weigh_participants(first)
  weigh_group(first)
  for (n in heard) if (missing(n, "states") && unmanaged[R, n]) doubt("NODE_UNMANAGED", n, "a group is UNMANAGED somewhere")
  weigh_disks()
  weigh_labels()
}
# The last event ends the answer; of levels before 7.1 that is not known.
function cut(n) { return !((R, n, "Ibcast") in queue && (R, n, "RM") in queue && ((R, n) in event || (R, n) in vrmf && vrmf[R, n] < 7100)) }
function weigh_manager(n, word) {
  word = manager_of(n)
  if (word == "silent") question(n, "manager", "MANAGER_UNREADABLE")
  if (word == "silent" && usable(n, "manager")) doubt("MANAGER_UNREADABLE", n, "no state")
  if (word == "stable" && cut(n)) doubt("MANAGER_UNREADABLE", n, "the answer was cut: run lssrc -ls clstrmgrES there until it answers in full")
  if (word == "stable" && queued[R, n] > 0) refuse("moving", "EVENTS_QUEUED", n, queued[R, n])
  if (word == "moving") refuse("moving", "MANAGER_NOT_STABLE", n, manager[R, n])
  if (word == "failed") { stuck = 1; doubt("EVENT_FAILED", n, manager[R, n]) }
  if (word == "not-configured") doubt("NODE_NOT_CONFIGURED", n, "no cluster here")
  if (word == "unknown") doubt("MANAGER_STATE_UNKNOWN", n, manager[R, n])
}
function doubtful(n, o) {
  if (member[R, n, o] == "UP") return !local_member[R, n, o] && contacts[R, n, o] == 0
  return local_member[R, n, o] || member[R, n, o] ~ /^UP / || (o in heard) && is_member(o)
}
function weigh_states(n, i, o, seen, own, p, sign) {
  if (usable(n, "states") && states[R, n] != nodes || usable(n, "resources") && runtimes[R, n] != nodes || !(n in configured)) doubt("NODES_DIFFER", n, states[R, n] + 0 " / " runtimes[R, n] + 0 " of " nodes)
  if (!is_member(n)) return
  if (!may_lack(n, "membership")) question(n, "membership", "MEMBERSHIP_UNREADABLE")
  for (i = 1; usable(n, "membership") && i <= members[R, n]; i++) {
    o = member_at[R, n, i]
    # The layer may know nodes by host name: only among names of the cluster another name is that of another node.
    if (local_member[R, n, o] && o != n && ((R, n, n) in member || o in configured)) doubt("MEMBERSHIP_OF_ANOTHER", n, o " NODE_LOCAL")
    if (doubtful(n, o)) sign[o] = member[R, n, o] ", points of contact " contacts[R, n, o]
  }
  for (i = 1; i <= nodes; i++) {
    o = node_at[i]
    if (usable(n, "peers") && (R, n, o) in peer && o != n && peer[R, n, o] != "Online" && (o in heard) && is_member(o)) sign[o] = sign[o] " " peer[R, n, o] " (lsrpnode)"
  }
  for (o in sign) doubt("PARTITION_SIGN", n, o " " sign[o])
  if (may_lack(n, "states")) return
  question(n, "states", "NODE_STATES_UNREADABLE")
  for (i = 1; i <= nodes; i++) {
    o = node_at[i]
    if (!((R, n, o) in node_state)) continue
    seen = node_state[R, n, o]
    split(seen, p, "/")
    own = (o in heard) ? manager_of(o) : "silent"
    if (p[1] == "UNMANAGED" || p[2] == "UNMANAGED") doubt("NODE_UNMANAGED", o, seen)
    else if (manager_meaning(p[2]) == "moving") refuse("moving", "NODE_NOT_STABLE", o, seen)
    else if (seen == "NORMAL/ST_STABLE") { if (own == "down" || own == "not-configured") doubt("NODE_STATE_CONTRADICTED", o, seen) }
    else if (seen ~ /^OFFLINE\/(OFFLINE|ST_INIT|NOT_CONFIGURED)?$/) { if (own != "down" && own != "silent" && own != "not-configured") doubt("NODE_STATE_CONTRADICTED", o, seen) }
    else doubt("NODE_STATE_UNKNOWN", o, seen)
  }
}
function weigh_silence(o, n, word, out, inside) {
  for (n in heard) {
    if (!is_member(n)) continue
    word = node_state[R, n, o]
    sub(/\/.*/, "", word)
    if (member[R, n, o] ~ /^UP( |$)/ || usable(n, "peers") && peer[R, n, o] == "Online" || word != "" && word != "OFFLINE") inside++
    else if (word == "OFFLINE" || member[R, n, o] ~ /^DOWN( |$)/ || usable(n, "peers") && peer[R, n, o] == "Offline") out++
    else inside++
  }
  if (out == 0 || inside > 0) doubt("HOST_UNREACHABLE", o, "no report, and not surely out of the cluster")
}
function weigh_configuration(n, r, ok) {
  ok = 1
  for (r = 1; r <= reports[R]; r++) {
    n = reported[R, r]
    if (!(n in heard)) continue
    question(n, "resources", "CONFIGURATION_UNREADABLE")
    if (!usable(n, "resources")) continue
    if (base == "") base = n
    if (configuration_of(n) != configuration_of(base) || blocks[R, n, group] != 1) ok = 0
  }
  if (base != "" && !ok) doubt("CONFIGURATION_DIFFERS", "-", "the nodes do not agree on what " group " consists of")
  return ok && base != ""
}
function weigh_participants(n, i, p, count) {
  count = split(resource[R, base, wanted[1]], p, " ")
  for (i = 1; i <= count; i++) if (times[R, n, p[i]] != 1 || !(p[i] in configured)) { doubt("PARTICIPANTS_DIFFER", "-", p[i]); return }
  if (rows[R, n] != count) doubt("PARTICIPANTS_DIFFER", "-", rows[R, n] " rows for " count " nodes")
}
function weigh_group(n, i, o, word, other, p, count) {
  for (i = 1; i <= rows[R, n]; i++) {
    o = listed[R, n, i]
    word = meaning(state[R, n, i])
    if (word == "online") { online[o] = 1; holders++; holder = o }
    else if (word != "offline" && word != "secondary") other++
    if (word == "moving") refuse("moving", "GROUP_MOVING", o, state[R, n, i])
    if (word == "error") doubt("GROUP_ERROR", o, state[R, n, i])
    if (word == "unmanaged") doubt("GROUP_UNMANAGED", o, state[R, n, i])
    if (word == "unknown") doubt("GROUP_STATE_UNKNOWN", o, state[R, n, i])
  }
  if (holders == 0 && other == 0 && rows[R, n] > 0) refuse("offline", "GROUP_OFFLINE", "-", table_of(n))
  if (holders > 1) {
    holder = ""
    if (concurrent[R, n] != rows[R, n]) refuse("contested", "GROUP_CONTESTED", "-", table_of(n))
    else if (tie_break != "first-online-in-priority-order") doubt("NO_TIE_BREAK", "-", table_of(n))
    else {
      count = split(resource[R, base, wanted[1]], p, " ")
      for (i = count; i >= 1; i--) if (p[i] in online) holder = p[i]
    }
  }
  if (holder != "" && !(holder in heard)) doubt("HOLDER_SILENT", holder, "no report")
  if (holder in heard && manager_of(holder) == "down") doubt("HOLDER_DOWN", holder, manager[R, holder])
}
function weigh_disks(n, i, count, p, all) {
  count = split(resource[R, base, wanted[4]] " " resource[R, base, wanted[5]], p, " ")
  for (i = 1; i <= count; i++) vgs[p[i]] = 1
  for (n in heard) for (i in vgs) if (status[R, n, "vg:" i] == "") all = "unasked"
  if (count == 0 || all != "") { doubt("NO_LOCAL_EVIDENCE", "-", count " volume groups"); return }
  for (n in heard) {
    question(n, "mounts", "MOUNTS_UNREADABLE")
    for (i in vgs) {
      if ((R, n, "vg:" i) in absence && status[R, n, "vg:" i] != "0") continue
      if (!usable(n, "vg:" i) || vg_state[R, n, "vg:" i] == "" || vg_mode[R, n, "vg:" i] == "") doubt("VOLUME_GROUP_UNREADABLE", n, i)
      else if (in_use(n, i)) question(n, "lvs:" i, "VOLUME_GROUP_UNREADABLE")
    }
  }
  for (n in heard) if (holder == "" || n == holder) for (i = 1; i <= volumes[R, n]; i++) {
    ours[volume[R, n, i]] = 1
    if (split_copy[R, n, i]) continue
    own[volume[R, n, i]] = 1
    if (resource[R, base, wanted[3]] == "ALL" && point[R, n, i] ~ /^\// && point[R, n, i] !~ /^\/splitmirror\//) points[point[R, n, i]] = 1
  }
  if (resource[R, base, wanted[3]] != "ALL") { count = split(resource[R, base, wanted[3]], p, " "); for (i = 1; i <= count; i++) points[p[i]] = 1 }
  if (holder in heard) weigh_possession(holder)
  for (n in heard) if (n != holder && !(n in online)) weigh_strays(n)
}
function in_use(n, vg) { return vg_state[R, n, "vg:" vg] == "active" && vg_mode[R, n, "vg:" vg] == "read/write" && status[R, n, "vg:" vg] == "0" }
function weigh_possession(n, i, vg, path, right, wrong) {
  for (vg in vgs) if (!in_use(n, vg) && (usable(n, "vg:" vg) || (R, n, "vg:" vg) in absence)) doubt("VOLUME_GROUP_NOT_HERE", n, vg " " vg_mode[R, n, "vg:" vg])
  if (!usable(n, "mounts")) return
  for (path in points) {
    right = wrong = 0
    for (i = 1; i <= mounts[R, n]; i++) if (mounted[R, n, i] == path) { if (device[R, n, i] in own) right++; else wrong++ }
    if (right != 1 || wrong) doubt("FILE_SYSTEM_NOT_HERE", n, path)
  }
}
function weigh_labels(n, i, j, o, count, p, found, verdict) {
  count = split(resource[R, base, wanted[6]], p, " ")
  verdict = holder in heard ? "contested" : "undecidable"
  for (i = 1; i <= count; i++) {
    found = ""
    for (n in heard) if (usable(n, "labels")) for (j = 1; j <= label_count[R, n]; j++) if (label[R, n, j] == p[i]) {
      if (found == "") found = label_address[R, n, j]
      else if (found != label_address[R, n, j]) found = "-"
    }
    if (found == "" || found == "-") continue
    for (n in heard) {
      if (!usable(n, "addresses")) continue
      if (n == holder) { if (!((R, n, found) in address)) doubt("SERVICE_LABEL_NOT_HERE", n, p[i] " " found) }
      else if (!(n in online) && (R, n, found) in address) refuse(verdict, "SERVICE_LABEL_ELSEWHERE", n, p[i] " " found)
    }
  }
}
function weigh_strays(n, i, vg, verdict) {
  verdict = holder in heard ? "contested" : "undecidable"
  for (vg in vgs) if (in_use(n, vg)) refuse(verdict, "VOLUME_GROUP_ELSEWHERE", n, vg)
  for (i = 1; i <= mounts[R, n]; i++) if (device[R, n, i] in ours || mounted[R, n, i] in points) refuse(verdict, "FILE_SYSTEM_ELSEWHERE", n, device[R, n, i] " on " mounted[R, n, i])
}
`;
