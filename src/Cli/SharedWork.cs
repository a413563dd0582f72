using SafeLlama.Common;
using SafeLlama.Distributed;

namespace SafeLlama.Cli;

/// <summary>The ranks that this process works with: alone, or one of many that a launcher of MPI has started.</summary>
internal static class SharedWork
{
    /// <summary>The verbs that share their work; others run on every rank by themselves.</summary>
    private static readonly string[] Verbs = ["train", "study", "evaluate"];

    public static ICommunicator Ranks { get; private set; } = SingleProcess.Instance;

    /// <summary>The cores for each rank on this machine: what the launcher binds it to, or its share.</summary>
    public static int Threads => Math.Max(1, Environment.ProcessorCount / Ranks.CountHere());

    /// <summary>Joins the other ranks; from then on rank 0 alone speaks.</summary>
    /// <param name="verb">What is to be done.</param>
    public static void Join(string? verb)
    {
        if (!Verbs.Contains(verb))
        {
            return;
        }

        var error = Console.Error;
        Ranks = Distributed.Ranks.Join(line =>
        {
            error.WriteLine(SafeText.ForTerminal($"safellama: {line}"));
            error.Flush();
        });
        if (!Ranks.IsFirst())
        {
            Console.SetOut(TextWriter.Null);
            Console.SetError(TextWriter.Null);
        }
        else if (Ranks.Size > 1)
        {
            Terminal.Note(Ranks.ToString()!);
        }
    }

    /// <summary>Waits for the other ranks, and leaves them.</summary>
    /// <param name="code">What this process will end with.</param>
    public static void Leave(int code)
    {
        if (Ranks is MpiCommunicator mpi)
        {
            mpi.EndsWith = code;
        }

        Ranks.Dispose();
        Ranks = SingleProcess.Instance;
    }
}
