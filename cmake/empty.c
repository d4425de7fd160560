/* A room that has no file yet. */
extern const int empty_room;
const int empty_room = 0;
