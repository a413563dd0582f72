using System.CommandLine;
using SafeLlama.Cli.Endings;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Settings;
using SafeLlama.Cli.Training;
using SafeLlama.Common;
using SafeLlama.Distributed;
using SafeLlama.Kernels;
using SafeLlama.Training;

namespace SafeLlama.Cli.Commands;

/// <summary><c>train</c>: trains an adapter, or a whole model, on rows.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var (options, settings) = (new TrainOptions(), new FineTuneOptions());
        var command = new Command("train", "Fine-tune a model with a low-rank adapter, or train one whole.");
        options.AddTo(command);
        settings.AddTo(command);
        command.SetAction(parsed =>
        {
            var asked = options.Read(parsed);
            var resolved = Resolve(
                settings.Given(parsed), asked.Recipe, asked.Profile, asked.Resume ? asked.Out : null);
            try
            {
                if (asked.DryRun)
                {
                    options.Refuse(parsed, "with --dry-run", nameof(asked.ProfileSteps));
                    return (int)DryRun(resolved, asked.Json);
                }

                var folder = asked.Out ?? throw SafeLlamaException.Usage(
                    "train: --out DIR is missing: where is the run to be written?");
                if (SharedWork.Ranks.IsFirst())
                {
                    OutputFolder.RequireFree(folder, asked.Resume, FineTuneRun.Signs);
                }

                using var interrupt = new Interrupt();
                return (int)Run(
                    resolved, folder, asked.Resume, asked.ProfileSteps, asked.Json, interrupt.Token);
            }
            catch (SafeLlamaException e)
            {
                throw resolved.Explained(e);
            }
        });
        return command;
    }

    /// <summary>Runs, and prints how it ended.</summary>
    /// <param name="tellsHow">Whether it says how an interrupted run goes on.</param>
    internal static ExitCode Run(
        SettingTable<FineTuneRequest> settings, string folder, bool resume, int profileSteps, bool json,
        CancellationToken stop, bool tellsHow = true)
    {
        FineTuneChecks.Check(settings);
        using var device = Open(settings.Value);
        using var profile = profileSteps != 0 ? new OpProfile(device) : null;
        var watched = new StartUpView(new TrainView(), device);
        ITrainingView view = !SharedWork.Ranks.IsFirst() ? NoView.Instance
            : profile is null ? watched : new ProfileView(watched, profile, profileSteps);
        var result = new FineTuneRun(settings, device, view, SharedWork.Ranks).Run(folder, resume, stop);
        if (result.Saved is null)
        {
            if (tellsHow)
            {
                Terminal.Note($"interrupted at step {result.Steps}; go on with: "
                    + ProgramCommand.Of("train --resume", ("Out", folder)));
            }

            return ExitCode.Interrupted;
        }

        var loss = result.ValidationLoss is { } best
            ? FormattableString.Invariant($", validation loss {best:F4}") : "";
        Terminal.Note($"{result.Saved}: the parameters of step {result.BestStep} of {result.Steps}{loss}.");
        foreach (var line in DefenseEnding.Lines(settings.Value, result.Saved))
        {
            Terminal.Note(line);
        }

        if (json)
        {
            Terminal.PrintJson(result);
        }

        return ExitCode.Success;
    }

    private static ExitCode DryRun(SettingTable<FineTuneRequest> settings, bool json)
    {
        FineTuneChecks.Check(settings);
        using var backend = Open(settings.Value);
        var (plan, inputs) = new FineTuneRun(settings, backend, NoView.Instance, SharedWork.Ranks).Plan();
        plan = plan with { Advice = plan.Advice.Select(line => SafeLlamaException.Named(line, FlagNames.Of)) };
        if (json)
        {
            Terminal.PrintJson(plan.ToRecord() with
            {
                Settings = settings.All.ToDictionary(e => e.Name, e => e.Value),
                Advice = [.. plan.Advice],
            });
        }
        else
        {
            Terminal.Print(plan.Lines(settings, inputs));
        }

        plan.RequireFit();
        return ExitCode.Success;
    }

    private static IBackend Open(FineTuneRequest request) => Devices.Open(
        request.Device, request.Threads ?? SharedWork.Threads, request.Matmul == MatrixProducts.Cublas);

    /// <summary>Default, profile, recipe, flags, each over the one before; a run that is resumed brings its
    /// own.</summary>
    private static SettingTable<FineTuneRequest> Resolve(
        IEnumerable<KeyValuePair<string, SettingValue>> flags, string? recipe, string? profile, string? resumed)
    {
        var settings = new SettingTable<FineTuneRequest>();
        if (profile is not null)
        {
            settings.Apply(Profiles.Named(profile));
        }

        if (recipe is not null)
        {
            settings.Apply(RecipeFile.Read(recipe, new FineTuneOptions().Forms));
        }

        settings.Apply(flags);
        // The run's folder may be one that rank 0 alone sees.
        var ranks = SharedWork.Ranks;
        var begun = ranks.Broadcast(ranks.IsFirst() && RunFile.IsIn(resumed) ? RunFile.Read(resumed!) : null);
        return begun?.Resume(settings, resumed!) ?? settings;
    }
}
