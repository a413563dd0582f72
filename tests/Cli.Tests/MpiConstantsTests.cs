using System.Diagnostics;
using SafeLlama.Distributed;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>The numbers that implementations of MPI give their handles, beside those of the headers installed
/// here.</summary>
public sealed class MpiConstantsTests
{
    private const string Header = "/usr/include/x86_64-linux-gnu/mpich/mpi.h";

    [Test]
    public void Constants_of_MPICH_are_those_of_its_header()
    {
        if (!File.Exists(Header) || !File.Exists("/usr/bin/cc"))
        {
            Assert.Ignore($"needs {Header} (Debian: libmpich-dev) and a C compiler.");
        }

        var folder = TestFiles.NewFolder();
        try
        {
            var source = Path.Combine(folder, "constants.c");
            File.WriteAllText(source, """
                #include <stdio.h>
                #include <mpi.h>
                int main(void)
                {
                    printf("%x %x %x %d %d\n", MPI_COMM_WORLD, MPI_BYTE, MPI_ERRORS_RETURN, MPI_THREAD_SERIALIZED,
                        (int)sizeof(MPI_Status));
                    return 0;
                }
                """);
            var program = Path.Combine(folder, "constants");
            Run("/usr/bin/cc", "-I" + Path.GetDirectoryName(Header), source, "-o", program);
            var found = Run(program).Trim().Split(' ');
            var abi = MpiAbi.Mpich;
            Assert.That(found[..4], Is.EqualTo(new[] { $"{abi.World:x}", $"{abi.Bytes:x}", $"{abi.ErrorsReturn:x}",
                $"{abi.Serialized}" }));
            Assert.That(int.Parse(found[4], null), Is.LessThanOrEqualTo(MpiNative.StatusBytes));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestCase("OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=2", 2, 4, "libmpi.so.40")]
    [TestCase("PMI_SIZE=3 PMI_RANK=1", 1, 3, "libmpich.so.12")]
    [TestCase("PMIX_RANK=5 SLURM_STEP_NUM_TASKS=8 SLURM_PROCID=5", 5, 8, "libmpi.so.40")]
    public void A_launcher_is_known_by_its_variables(string variables, int rank, int size, string library)
    {
        var launcher = Launcher.Find(Of(variables))!;
        Assert.That((launcher.Rank, launcher.Size, launcher.LibraryNames[0]), Is.EqualTo((rank, size, library)));
    }

    [TestCase("")]
    [TestCase("OMPI_COMM_WORLD_SIZE=1 OMPI_COMM_WORLD_RANK=0")]
    [TestCase("SLURM_NTASKS=8 SLURM_PROCID=0")]      // a batch script itself
    public void One_process_is_alone(string variables) => Assert.That(Launcher.Find(Of(variables)), Is.Null);

    [Test]
    public void Tasks_that_do_not_know_of_each_other_are_refused() => Assert.That(
        () => Launcher.Find(Of("SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=1")),
        Throws.TypeOf<Common.SafeLlamaException>().With.Message.StartsWith("srun started 4 tasks without MPI"));

    private static Func<string, string?> Of(string variables)
    {
        var set = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('='))
            .ToDictionary(v => v[0], v => v[1]);
        return name => set.GetValueOrDefault(name);
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, error) = (process.StandardOutput.ReadToEnd(), process.StandardError.ReadToEnd());
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, error);
        return output;
    }
}
