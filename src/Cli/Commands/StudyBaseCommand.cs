using System.CommandLine;
using SafeLlama.Cli.Study;
using SafeLlama.Common;

namespace SafeLlama.Cli.Commands;

/// <summary><c>study base</c>: make a base model of the study in miniature, from a seed alone.</summary>
internal static class StudyBaseCommand
{
    public static Command Create()
    {
        var (seed, threads, resume) = (CommonOptions.Seed(), CommonOptions.Threads(), CommonOptions.Resume());
        var output = CommonOptions.Out(
            "The model's folder, in Hugging Face layout; what it is made of lies in making/ below it.");
        var command = new Command(
            "base",
            "Make a base model of the study from a seed: its world, a tokenizer, a LLaMA trained on the world's text. "
            + "The same seed gives the same bytes on machines with the same vectors.")
        {
            seed, output, threads, resume,
        };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(output)!;
            using var interrupt = new Interrupt();
            var code = new MiniatureBase(parsed.GetValue(seed), folder, parsed.GetValue(threads))
                .Make(parsed.GetValue(resume), interrupt.Token);
            if (code == ExitCode.Interrupted)
            {
                Terminal.Note($"interrupted; go on with: safellama study base --seed {parsed.GetValue(seed)} --resume "
                    + $"--out {folder}");
            }

            return (int)code;
        });
        return command;
    }
}
