using System.CommandLine;
using SafeLlama.Cli.Endings;
using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Lab;

namespace SafeLlama.Cli.Commands;

/// <summary><c>lab</c>: rooms in a browser in which everything is computed live.</summary>
internal static class LabCommand
{
    public static Command Create()
    {
        var options = new LabOptions();
        var command = new Command(
            "lab",
            "Open a laboratory in the browser: talk to the miniature before and after safety tuning, and look into it. "
            + "It listens on 127.0.0.1 alone, needs no network, and computes everything live. Ctrl-C ends it.");
        options.AddTo(command);
        command.SetAction(async (parsed, _) => (int)await Run(options.Read(parsed)));
        return command;
    }

    private static async Task<ExitCode> Run(LabOptions.Request request)
    {
        using var interrupt = new Interrupt();
        await using var server = new LabServer(request.ForLab(), Terminal.Note);
        await server.StartAsync(interrupt.Token);
        Terminal.Print($"The lab: {server.Address}");
        if (!request.NoOpen)
        {
            Open(server.FirstAddress);
        }

        await interrupt.Wait();
        Terminal.Note("the lab is closed.");
        return ExitCode.Success;
    }

    /// <summary>A machine without a browser still has the address.</summary>
    private static void Open(Uri address)
    {
        try
        {
            Browser.Find(Environment.GetEnvironmentVariable).Open(address);
        }
        catch (SafeLlamaException e)
        {
            Terminal.Note($"No browser opens ({e.Fault.Replace("--open: ", "", StringComparison.Ordinal)}); open the "
                + "address in one.");
        }
    }
}
