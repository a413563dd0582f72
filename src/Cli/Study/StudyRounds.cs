using System.Text.Json;
using SafeLlama.Cli.Options;
using SafeLlama.Distributed;
using SafeLlama.Study;

namespace SafeLlama.Cli.Study;

/// <summary>Runs a study, and again with the arms that its analyses ask to add, until they ask for none.</summary>
internal sealed class StudyRounds(StudyRecipe asked, IStudySource source, IStudyEngine engine, ICommunicator ranks)
{
    /// <returns>The finished study on rank 0; null on the others.</returns>
    public StudyRun? Run(StudyOptions.Request options, string folder, CancellationToken stop)
    {
        var (recipe, resume) = (asked, options.Resume);
        while (true)
        {
            var runner = new StudyRunner(recipe, source, engine, ranks);
            var run = Round(runner, options with { Resume = resume }, folder, stop);
            if (Next(run) is not { } next)
            {
                return run is null ? null : run with
                {
                    Directions = new DirectionReader(recipe, source, engine).Read(run, runner.Jobs, folder, stop),
                };
            }

            (recipe, resume) = (next, true);
        }
    }

    private StudyRun? Round(StudyRunner runner, StudyOptions.Request options, string folder, CancellationToken stop)
    {
        if (!ranks.IsFirst())
        {
            runner.Help(folder, options.Parallel, stop);
            return null;
        }

        var view = new StudyView(runner.Jobs, runner.Headline);
        return view.Show(() => runner.Run(folder, options.Resume, options.Parallel, view, stop));
    }

    /// <summary>What rank 0 decides is what every rank does.</summary>
    private StudyRecipe? Next(StudyRun? run)
    {
        if (asked.Analyses?.Any(a => a.Refine > 0) != true)
        {
            return null;
        }

        var next = run is null ? null : StudyRefinement.Next(asked, run.Results);
        if (ranks.Size == 1)
        {
            return next;
        }

        var text = ranks.Broadcast(next is null ? "" : JsonSerializer.Serialize(next, StudyJson.Line));
        return text.Length == 0 ? null : JsonSerializer.Deserialize<StudyRecipe>(text, StudyJson.Line);
    }
}
