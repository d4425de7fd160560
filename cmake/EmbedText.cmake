# cmake -DIN=file -DNAME=symbol -DOUT=x.c -P EmbedText.cmake: a file as a constant.
file(READ "${IN}" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE "${OUT}" "/* Generated; do not edit. */\n#include \"rpc/embedded.h\"\n\nconst unsigned char ${NAME}[] = {${bytes}0};\nconst size_t ${NAME}_len = sizeof(${NAME}) - 1;\n")
