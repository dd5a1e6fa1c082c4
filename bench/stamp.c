/* The smallest worker: writes the nanoseconds of its own start, by CLOCK_REALTIME, to the file that
   its first argument names.  The time is taken in the first instruction of main; linked statically,
   so that no dynamic loader runs before it. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **words)
{
    struct timespec now;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    if (count != 2)
        return 2;
    int file = open(words[1], O_CREAT | O_WRONLY | O_EXCL, 0600);
    if (file < 0)
        return 1;
    int length = snprintf(text, sizeof text, "%lld%09ld", (long long)now.tv_sec, now.tv_nsec);
    return write(file, text, length) == length ? 0 : 1;
}
