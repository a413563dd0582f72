using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Settings;
using SafeLlama.Cli.Training;
using SafeLlama.Common;
using SafeLlama.Distributed;
using SafeLlama.Kernels;
using SafeLlama.Training;

namespace SafeLlama.Cli.Commands;

/// <summary><c>train</c>: rows and a model in, an adapter (or a model trained whole) out.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var recipe = new Option<string?>("--recipe")
        {
            Description = "A YAML file of these settings, by name; a flag wins over it.",
            HelpName = "FILE",
        };
        var profile = new Option<string?>("--profile")
        {
            Description = "Training profile: settings of the authors' repository or of their paper, below recipe and "
                + "flags.",
            HelpName = "repo|paper",
        };
        var output = new Option<string?>("--out")
        {
            Description = "Where the run is written: run.json, metrics.jsonl, checkpoints/, adapter/ or model/. "
                + "A folder that is not empty is refused.",
            HelpName = "DIR",
        };
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Show the resolved plan, what it matches and the memory it needs; write nothing.",
        };
        var profileSteps = new Option<int>("--profile-steps")
        {
            Description = "Print where the time of so many steps goes, op by op, once the run has settled; 0 does not.",
            HelpName = "N",
            DefaultValueFactory = _ => 0,
        };
        var (resume, json) = (CommonOptions.Resume(), CommonOptions.Json());
        var options = new FineTuneOptions();
        var command = new Command("train", "Fine-tune a model with a low-rank adapter, or train one whole.")
        {
            recipe, profile, output, resume, dryRun, profileSteps, json,
        };
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            var (folder, resumes) = (parsed.GetValue(output), parsed.GetValue(resume));
            var settings = Resolve(
                options.Given(parsed), parsed.GetValue(recipe), parsed.GetValue(profile), resumes ? folder : null);
            if (parsed.GetValue(dryRun))
            {
                return (int)DryRun(settings, parsed.GetValue(json));
            }

            using var interrupt = new Interrupt();
            return (int)Run(
                settings,
                folder ?? throw SafeLlamaException.Usage(
                    "train: --out DIR is missing: where is the run to be written?"),
                resumes, parsed.GetValue(profileSteps), parsed.GetValue(json), interrupt.Token);
        });
        return command;
    }

    /// <summary>Runs, and prints how it ended.</summary>
    internal static ExitCode Run(
        SettingTable<FineTuneRequest> settings, string folder, bool resume, int profileSteps, bool json,
        CancellationToken stop)
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
            Terminal.Note($"interrupted at step {result.Steps}; go on with: safellama train --resume --out {folder}");
            return ExitCode.Interrupted;
        }

        var loss = result.ValidationLoss is { } best
            ? FormattableString.Invariant($", validation loss {best:F4}") : "";
        Terminal.Note($"{result.Saved}: the parameters of step {result.BestStep} of {result.Steps}{loss}.");
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(result, Json.Line));
        }

        return ExitCode.Success;
    }

    private static ExitCode DryRun(SettingTable<FineTuneRequest> settings, bool json)
    {
        FineTuneChecks.Check(settings);
        using var backend = Open(settings.Value);
        var (plan, inputs) = new FineTuneRun(settings, backend, NoView.Instance, SharedWork.Ranks).Plan();
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                plan.ToRecord() with { Settings = settings.All.ToDictionary(e => e.Name, e => e.Value) }, Json.Line));
        }
        else
        {
            foreach (var line in plan.Lines(settings, inputs))
            {
                Console.WriteLine(line);
            }
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
