using System.Runtime.InteropServices;

namespace SafeLlama.Distributed;

/// <summary>The functions of MPI that are used, by their C names; handles are of the size of a pointer.</summary>
/// <remarks>
/// MPICH's handles are C ints, which the calling conventions of 64-bit machines take from the lower half of a register.
/// Which library <see cref="Library"/> means is decided by <see cref="MpiLibrary"/>.
/// </remarks>
internal static unsafe partial class MpiNative
{
    public const string Library = "safellama-mpi";

    /// <summary>Room for an <c>MPI_Status</c> of any implementation (24, 20 and 32 bytes).</summary>
    public const int StatusBytes = 64;

    [LibraryImport(Library)]
    public static partial int MPI_Init_thread(int* argc, byte*** argv, int required, int* provided);

    [LibraryImport(Library)]
    public static partial int MPI_Finalize();

    [LibraryImport(Library)]
    public static partial int MPI_Abort(nint comm, int code);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_rank(nint comm, int* rank);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_size(nint comm, int* size);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_set_errhandler(nint comm, nint handler);

    [LibraryImport(Library)]
    public static partial int MPI_Get_library_version(byte* text, int* length);

    [LibraryImport(Library)]
    public static partial int MPI_Isend(byte* data, int count, nint type, int to, int tag, nint comm, nint* request);

    [LibraryImport(Library)]
    public static partial int MPI_Irecv(byte* data, int count, nint type, int from, int tag, nint comm, nint* request);

    [LibraryImport(Library)]
    public static partial int MPI_Test(nint* request, int* flag, byte* status);

    /// <summary>Loads a library so that those it loads itself find its symbols, as Open MPI's plugins need.</summary>
    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Open(string path, int flags);

    /// <summary>Ends the process without a word to anyone.</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    public static partial void Exit(int code);
}
