using System.CommandLine;
using SafeLlama.Cli.Settings;
using SafeLlama.Cli.Training;
using SafeLlama.Common;

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
        var options = SettingTable.Options(TrainSettings.All);
        var command = new Command("train", "Fine-tune a model with a low-rank adapter, or train one whole.")
        {
            recipe, profile, output, resume, dryRun, profileSteps, json,
        };
        foreach (var option in options.Values)
        {
            command.Add(option);
        }

        command.SetAction(parsed =>
        {
            var said = SettingTable.Said(parsed, TrainSettings.All, options);
            var (folder, resumes) = (parsed.GetValue(output), parsed.GetValue(resume));
            var settings = Resolve(said, parsed.GetValue(recipe), parsed.GetValue(profile), resumes ? folder : null);
            var job = new TrainJob(
                settings, folder ?? "", resumes, parsed.GetValue(json), parsed.GetValue(profileSteps));
            if (parsed.GetValue(dryRun))
            {
                return (int)job.DryRun();
            }

            if (folder is null)
            {
                throw SafeLlamaException.Usage("train: --out DIR is missing: where is the run to be written?");
            }

            using var interrupt = new Interrupt();
            return (int)job.Run(interrupt.Token);
        });
        return command;
    }

    /// <summary>Default, profile, recipe, flags, each over the one before; a run that is resumed brings its
    /// own.</summary>
    private static SettingTable Resolve(
        Dictionary<string, SettingValue> said, string? recipe, string? profile, string? resumed)
    {
        var settings = new SettingTable(TrainSettings.All);
        if (profile is not null)
        {
            settings.Lay(Profiles.Named(profile));
        }

        if (recipe is not null)
        {
            settings.Lay(RecipeFile.Read(recipe, TrainSettings.All));
        }

        settings.Lay(said);
        if (resumed is null || !File.Exists(Path.Combine(resumed, RunFile.Name)))
        {
            return settings;
        }

        var known = RunFile.ReadSettings(resumed);
        foreach (var (setting, value) in settings.All.Where(
            e => e.Value.Source != "default" && !TrainSettings.Harmless.Contains(e.Setting)))
        {
            if (known.TryGetValue(setting.Name, out var then) && then.Text != value.Text)
            {
                throw SafeLlamaException.Usage(
                    $"{setting.Flag} {value.Text}: the run in {resumed} began with '{then.Text}', "
                    + "and a resumed run keeps its settings. Leave it out, or start anew with another --out.");
            }
        }

        var kept = settings.All.Where(e => settings.IsSaid(e.Setting))
            .Select(e => KeyValuePair.Create(e.Setting.Name, e.Value)).ToList();
        var table = new SettingTable(TrainSettings.All);
        table.Lay(known.Where(k => TrainSettings.All.Any(s => s.Name == k.Key)));
        table.Lay(kept.Where(k => TrainSettings.Harmless.Any(s => s.Name == k.Key)));
        return table;
    }
}
