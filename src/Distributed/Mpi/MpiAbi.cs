using System.Runtime.InteropServices;

namespace SafeLlama.Distributed;

/// <summary>The constants in which implementations of MPI differ.</summary>
/// <param name="Name">For messages.</param>
/// <param name="World"><c>MPI_COMM_WORLD</c>.</param>
/// <param name="Bytes"><c>MPI_BYTE</c>.</param>
/// <param name="ErrorsReturn"><c>MPI_ERRORS_RETURN</c>.</param>
/// <param name="Serialized"><c>MPI_THREAD_SERIALIZED</c>: any thread calls, one at a time.</param>
internal sealed record MpiAbi(string Name, nint World, nint Bytes, nint ErrorsReturn, int Serialized)
{
    private const int ThreadSerialized = 2;

    /// <summary>MPICH 4 and those that keep its binary interface: Intel MPI, Cray MPICH, MVAPICH (mpi.h).</summary>
    public static MpiAbi Mpich { get; } = new("MPICH", 0x44000000, 0x4c00010d, 0x54000001, ThreadSerialized);

    /// <summary>The standard binary interface of MPI 5.0 (its chapter 20 and appendix A).</summary>
    public static MpiAbi Standard { get; } = new("MPI-5 ABI", 0x101, 0x247, 0x142, 2048);

    /// <summary>Open MPI: its handles are addresses of variables of the library (mpi.h).</summary>
    public static MpiAbi OpenMpi(nint library) => new(
        "Open MPI",
        NativeLibrary.GetExport(library, "ompi_mpi_comm_world"),
        NativeLibrary.GetExport(library, "ompi_mpi_byte"),
        NativeLibrary.GetExport(library, "ompi_mpi_errors_return"),
        ThreadSerialized);
}
