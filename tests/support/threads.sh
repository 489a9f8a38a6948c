# SPDX-License-Identifier: MIT
# Which test programs have nothing for ThreadSanitizer to look at.

# What starts a thread or another program, takes a lock, or handles a signal.
# libcurl starts threads that resolve names.
threads_calls='^(pthread_(create|mutex|rwlock|spin|cond|barrier|kill|cancel)'
threads_calls+='|thrd_|mtx_|cnd_|sem_|timer_create|aio_|getaddrinfo_a|clone'
threads_calls+='|sig|fork|vfork|posix_spawn|exec|popen|system$|dlopen'
threads_calls+='|curl_easy_|curl_multi_)'

# Prints the names of the test programs of a tree that link none of that: what
# they do not define themselves stands in their table of symbols.
threads_nowhere() { # BUILD_DIR
  local program programs=()
  for program in "$1"/tests/{,*/}*; do
    [ -f "$program" ] && [ -x "$program" ] && programs+=("$program")
  done
  nm -A -D -u "${programs[@]}" 2>/dev/null |
    awk -v calls="$threads_calls" '
      {
        sub(/:$/, "", $1)
        sub(/@.*/, "", $3)
        seen[$1] = 1
        if ($3 ~ calls) busy[$1] = 1
      }
      END {
        for (name in seen)
          if (!(name in busy)) {
            sub(/^.*\//, "", name)
            print name
          }
      }' | sort
}
