using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Distributed;

/// <summary>Who started this process as one of several, told by the variables it set.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Rank">This process's number.</param>
/// <param name="Size">Ranks in all.</param>
/// <param name="LibraryNames">Its MPI library's names, the likeliest first.</param>
public sealed record Launcher(string Name, int Rank, int Size, IReadOnlyList<string> LibraryNames)
{
    private static readonly string[] OpenMpi = ["libmpi.so.40", "libmpi.so.80", "libmpi.so", "libmpi_abi.so.0",
        "libmpi_abi.so"];

    private static readonly string[] Mpich = ["libmpich.so.12", "libmpi.so.12", "libmpi_abi.so.0", "libmpi_abi.so",
        "libmpi.so"];

    /// <summary>The launcher of this process; null where it runs alone.</summary>
    /// <exception cref="SafeLlamaException">Several tasks were started, and not as ranks of MPI.</exception>
    public static Launcher? Find() => Find(Environment.GetEnvironmentVariable);

    internal static Launcher? Find(Func<string, string?> variable)
    {
        int? Number(string name) =>
            int.TryParse(variable(name), CultureInfo.InvariantCulture, out var number) ? number : null;
        if (Number("OMPI_COMM_WORLD_SIZE") is { } open)
        {
            return Of("Open MPI's mpirun", Number("OMPI_COMM_WORLD_RANK"), open, OpenMpi);
        }

        if (Number("PMI_SIZE") is { } hydra)
        {
            return Of("an MPICH launcher", Number("PMI_RANK"), hydra, Mpich);
        }

        var tasks = Number("SLURM_STEP_NUM_TASKS") ?? Number("SLURM_NTASKS");
        if (Number("PMIX_RANK") is not null && tasks is { } slurm)
        {
            return Of("srun", Number("PMIX_RANK"), slurm, [.. OpenMpi, .. Mpich]);
        }

        return Number("SLURM_STEP_NUM_TASKS") is > 1 and var alone && Number("SLURM_PROCID") is not null
            ? throw SafeLlamaException.Usage(
                $"srun started {alone} tasks without MPI, and each would do all the work: start them with "
                + "srun's support for MPI (pmix or pmi2), or start one.")
            : null;
    }

    private static Launcher? Of(string name, int? rank, int size, IReadOnlyList<string> libraries) =>
        size > 1 ? new(name, rank ?? 0, size, libraries) : null;
}
