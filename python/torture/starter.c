/* Stands in for a program (PROGRAM, given to the compiler) and becomes it, with variables that a test wants it to have.
 *
 * Each line of $TMPDIR/SETTINGS is MATCH, ONCE and NAME=VALUE with tabs between: the variable is set where an argument of the
 * program ends in MATCH (or MATCH is `*`), and if ONCE is not `-`, for the first process only that makes this folder.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int matches(const char *match, char **arguments) {
    if (!strcmp(match, "*")) return 1;
    for (; *arguments; arguments++) {
        size_t length = strlen(*arguments), end = strlen(match);
        if (length >= end && !strcmp(*arguments + length - end, match)) return 1;
    }
    return 0;
}

int main(int count, char **arguments) {
    (void)count;
    const char *folder = getenv("TMPDIR");
    char path[4096], line[4096];
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "/nonexistent", SETTINGS);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *rest = line, *match = strsep(&rest, "\t"), *once = strsep(&rest, "\t");
        if (!rest || !matches(match, arguments)) continue;
        if (strcmp(once, "-") && mkdir(once, 0777)) continue;
        putenv(strdup(rest));
    }
    if (file) fclose(file);
    arguments[0] = PROGRAM;
    execv(PROGRAM, arguments);
    perror(PROGRAM);
    return 127;
}
