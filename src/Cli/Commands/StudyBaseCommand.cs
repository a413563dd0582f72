using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Study;
using SafeLlama.Common;

namespace SafeLlama.Cli.Commands;

/// <summary><c>study base</c>: creates a base model of the miniature study from a seed.</summary>
internal static class StudyBaseCommand
{
    public static Command Create() => new StudyBaseOptions().Verb(
        "base",
        "Make a base model of the study from a seed: its world, a tokenizer, a LLaMA trained on the world's text. "
        + "The same seed gives the same bytes on machines with the same vectors.",
        Run);

    private static ExitCode Run(StudyBaseOptions.Request asked)
    {
        OutputFolder.RequireFree(asked.Out, asked.Resume, MiniatureBase.Sign);
        using var interrupt = new Interrupt();
        var code = new MiniatureBase(asked.World, asked.Seed, asked.Init, asked.Out, asked.Threads)
        {
            UntilLoss = asked.UntilLoss,
            Json = asked.Json,
        }.Make(asked.Resume, interrupt.Token);
        if (code == ExitCode.Interrupted)
        {
            Terminal.Note(
                $"interrupted; go on with: {MiniatureBase.CommandOf(asked.World, asked.Seed, null, asked.UntilLoss)}"
                + (asked.Init is { } init ? $" --init {ProgramCommand.Quoted(init)}" : "")
                + $" --resume --out {ProgramCommand.Quoted(asked.Out)}");
        }

        return code;
    }
}
