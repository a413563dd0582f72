using System.Runtime.InteropServices;
using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Distributed;

/// <summary>Finds and loads the MPI library that goes with the launcher, and tells which interface it has.</summary>
internal static class MpiLibrary
{
    /// <summary>Names a library's file, where it is not found by itself.</summary>
    public const string Variable = "SAFELLAMA_MPI_LIBRARY";

    private const int LazyAndGlobal = 0x101;

    private static nint _handle;

    /// <summary>Loads the library; functions of <see cref="MpiNative"/> then lead to it.</summary>
    /// <param name="launcher">Who started the ranks.</param>
    /// <exception cref="SafeLlamaException">No library is there, or it is of an unknown kind.</exception>
    public static MpiAbi Load(Launcher launcher)
    {
        var names = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
            ? [named] : launcher.LibraryNames;
        var (name, handle) = names.Select(n => (n, MpiNative.Open(n, LazyAndGlobal))).FirstOrDefault(l => l.Item2 != 0);
        if (handle == 0)
        {
            throw new SafeLlamaException(
                ExitCode.Failure,
                $"{launcher.Name} started {launcher.Size} ranks, and none of {string.Join(", ", names)} can be loaded: "
                + $"install the library of that MPI on every machine, or set {Variable} to its file.");
        }

        if (_handle == 0)
        {
            _handle = handle;
            NativeLibrary.SetDllImportResolver(
                typeof(MpiNative).Assembly,
                (wanted, _, _) => wanted == MpiNative.Library ? _handle : 0);
        }

        return AbiOf(name, handle);
    }

    /// <summary>Told by what the library is, not by what it is called.</summary>
    private static MpiAbi AbiOf(string name, nint library)
    {
        if (Path.GetFileName(name).Contains("mpi_abi", StringComparison.Ordinal))
        {
            return MpiAbi.Standard;
        }

        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out _))
        {
            return MpiAbi.OpenMpi(library);
        }

        var version = Version();
        string[] kin = ["MPICH", "Intel(R) MPI", "MVAPICH"];
        return kin.Any(k => version.Contains(k, StringComparison.Ordinal))
            ? MpiAbi.Mpich
            : throw new SafeLlamaException(
                ExitCode.Failure,
                $"{name}: is \"{version}\"; expected Open MPI, MPICH or its kin, or libmpi_abi.so.");
    }

    /// <summary>The first line of what the library says of itself; it may be asked before MPI begins.</summary>
    private static unsafe string Version()
    {
        const int Longest = 8192 + 64;
        var text = stackalloc byte[Longest];
        int length;
        _ = MpiNative.MPI_Get_library_version(text, &length);
        return Encoding.UTF8.GetString(text, Math.Clamp(length, 0, Longest)).Split('\n', '\0')[0].Trim();
    }
}
