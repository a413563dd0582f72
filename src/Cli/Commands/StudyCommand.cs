using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Endings;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Study;
using SafeLlama.Common;
using SafeLlama.Distributed;
using SafeLlama.Study;

namespace SafeLlama.Cli.Commands;

/// <summary><c>study</c>: trains every arm of a recipe, evaluates it, tests the claims and writes a report.</summary>
internal static class StudyCommand
{
    public static Command Create()
    {
        var command = Verb(
            "study", "Run a study: by default, how few safety demonstrations make a tiny LLaMA refuse.");
        command.Add(Verb("run", "The same, in full words."));
        command.Add(StudyWorldCommand.Create());
        command.Add(StudyBaseCommand.Create());
        return command;
    }

    private static Command Verb(string name, string description)
    {
        var options = new StudyOptions();
        return options.Verb(name, description, (asked, parsed) =>
        {
            if (asked.List)
            {
                options.RefuseOthers(parsed, "with --list", nameof(asked.List), nameof(asked.Json));
                return List(asked.Json);
            }

            var recipe = BaseWorld.Bind(Recipe(asked), MiniatureModel.FolderOf);
            if (recipe.Data.UsesFiles)
            {
                options.Refuse(parsed, $"with --recipe {asked.Recipe}, whose prompts are files", nameof(asked.Draw));
            }

            if (asked.Parallel < 1)
            {
                throw SafeLlamaException.Usage($"--parallel {asked.Parallel}: expected 1 or more.");
            }

            if (asked.DryRun)
            {
                options.Refuse(
                    parsed, "with --dry-run", nameof(asked.Out), nameof(asked.Resume), nameof(asked.Open));
            }
            else if (SharedWork.Ranks.IsFirst())
            {
                OutputFolder.RequireFree(FolderOf(asked, recipe), asked.Resume, BegunRecipe.Sign);
            }

            return Run(asked, recipe);
        });
    }

    private static ExitCode List(bool json)
    {
        var recipes = StudyRecipes.All();
        if (json)
        {
            Terminal.PrintDocument(recipes);
        }
        else
        {
            Terminal.Print(StudyRecipes.Lines(recipes));
        }

        return ExitCode.Success;
    }

    private static string FolderOf(StudyOptions.Request asked, StudyRecipe recipe) =>
        asked.Out ?? $"study-{recipe.Name.Replace('/', '-')}";

    private static ExitCode Run(StudyOptions.Request asked, StudyRecipe recipe)
    {
        var engine = new LlamaEngine(() => Devices.Open(asked), MiniatureModel.FolderOf);
        using var judges = new StudyJudges(asked.DryRun ? [] : recipe.Judges ?? [], asked);
        IStudySource source = recipe.Data.UsesFiles
            ? FileSource.Open(recipe, judges.Opened) : WorldSource.Open(recipe);
        Terminal.Notes(source.Notes);
        if (asked.DryRun)
        {
            var runner = new StudyRunner(recipe, source, engine, SharedWork.Ranks);
            runner.Check();
            return new StudyPlan(recipe, source, runner, engine).Show(asked.Parallel, asked.Json);
        }

        var folder = FolderOf(asked, recipe);
        using var interrupt = new Interrupt();
        var browser = asked.Open ? Browser.Find(Environment.GetEnvironmentVariable) : null;
        var rounds = new StudyRounds(recipe, source, engine, SharedWork.Ranks);
        StudyRun? run;
        try
        {
            run = rounds.Run(asked, folder, interrupt.Token);
        }
        catch (OperationCanceledException) when (Interrupt.Keeps(folder))
        {
            return Interrupt.Kept(folder);
        }

        if (run is null)
        {
            return ExitCode.Success;
        }

        Terminal.Notes([.. run.Replicates.SelectMany(r => r.Training.Notes.Select(note => $"{r.Replicate.Arm}: {note}"))
            .Distinct()]);
        var report = StudyReport.Of(run);
        var html = ReportFiles.Write(report, folder);
        if (asked.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(run.Results, StudyJson.Line));
        }
        else
        {
            foreach (var line in StudyEnding.Lines(report, Terminal.OutputIsRich))
            {
                Console.WriteLine(line);
            }
        }

        Terminal.Note($"The report: {html}");
        browser?.Open(html);
        return ExitCode.Success;
    }

    private static StudyRecipe Recipe(StudyOptions.Request asked)
    {
        var recipe = StudyRecipes.Read(asked.Recipe) with
        {
            From = asked.Recipe,
            Device = asked.Device == new StudyOptions.Request().Device ? null : asked.Device,
        };
        if (asked.Seeds is { } seeds)
        {
            recipe = seeds is > 0 and <= ReplicateCheck.MostSeeds
                ? recipe with { Seeds = [.. Enumerable.Range(1, seeds).Select(seed => (long)seed)] }
                : throw SafeLlamaException.Usage($"--seeds {seeds}: expected 1 to {ReplicateCheck.MostSeeds}.");
        }

        if (asked.Models.Count > 0)
        {
            recipe = recipe with
            {
                Models = [.. asked.Models.SelectMany(m => m.Split(',', StringSplitOptions.RemoveEmptyEntries))],
            };
        }

        if (asked.Arms.Count > 0)
        {
            recipe = recipe.Only(
                [.. asked.Arms.SelectMany(a => a.Split(',', StringSplitOptions.RemoveEmptyEntries))]);
        }

        recipe = asked.Draw is { } draw ? recipe with { Data = recipe.Data with { Draw = draw } } : recipe;
        ReplicateCheck.Require(recipe);
        return recipe;
    }
}
