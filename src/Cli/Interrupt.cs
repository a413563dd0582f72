using System.Runtime.InteropServices;
using SafeLlama.Common;

namespace SafeLlama.Cli;

/// <summary>
/// Ctrl-C, SIGTERM or a closed terminal stops the work at the next point where nothing is lost; a second signal ends
/// the program at once.
/// </summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interrupt()
    {
        _registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, Handle),
        ];
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Whether there is a run to go on with, of this process alone: of many, all are to end.</summary>
    public static bool Keeps(string? folder) => Directory.Exists(folder) && SharedWork.Ranks.Size == 1;

    /// <summary>Says that a run was interrupted and how it goes on.</summary>
    public static ExitCode Kept(string folder)
    {
        Terminal.Note("interrupted; what is done is kept. Go on with the same command and --resume --out "
            + $"{ProgramCommand.Quoted(folder)}");
        return ExitCode.Interrupted;
    }

    /// <summary>Runs what keeps its work in a folder; where it is interrupted, says so.</summary>
    /// <param name="folder">The folder; null where nothing is kept.</param>
    public static async Task<int> Keeping(string? folder, Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (OperationCanceledException) when (Keeps(folder))
        {
            return (int)Kept(folder!);
        }
    }

    /// <summary>Waits for the signal.</summary>
    public async Task Wait()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = Token.Register(ended.SetResult);
        await ended.Task;
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_source.IsCancellationRequested)
        {
            Environment.Exit((int)ExitCode.Interrupted);
        }

        _source.Cancel();
    }
}
