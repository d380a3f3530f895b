/* Does nothing, linked as the programs are: what their start costs without their work. */
int
main(void)
{
	return 0;
}
