using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>What a student has typed, and what came of it.</summary>
internal sealed record ExerciseState(string Answer, bool Solved, string Message, int Tries);

/// <summary><c>api/exercise</c>: judges an answer; <c>api/export</c>: all answers as one HTML page.</summary>
internal sealed class ExerciseEndpoints(Workshop shop) : IRoomEndpoints
{
    private const int MostCharacters = 80;

    private static readonly char[] Between = [' ', ',', ';', '\t'];

    /// <summary>By number; kept while the lab runs.</summary>
    public ConcurrentDictionary<int, ExerciseState> States { get; } = new();

    public IReadOnlyList<(string Path, Func<HttpContext, Task> Answer)> Posts =>
        [("exercise", Judge), ("export", Export)];

    private async Task Judge(HttpContext context)
    {
        var fields = await Body.Read(context);
        var number = fields.Integer("number", 1, ExerciseBook.All.Count)
            ?? throw new ApiException(400, "'number' is missing.", "number");
        var answer = LabFields.Text(fields, "answer", MostCharacters);
        fields.RefuseOthers();
        var exercise = ExerciseBook.All[number - 1];

        // Of one number a comma is the decimal one of many countries; between two it keeps them apart.
        var typed = Numbers(exercise.Numbers == 1 ? answer.Replace(',', '.') : answer);
        var verdict = typed is { } numbers && numbers.Length == exercise.Numbers
            ? await shop.Gate.Run(cancel => exercise.Check(new(shop, cancel), numbers), context.RequestAborted)
            : new(false, $"Expected {exercise.Unit}.");
        var state = States.AddOrUpdate(
            number, _ => new(answer, verdict.Solved, verdict.Message, 1),
            (_, before) => new(answer, verdict.Solved, verdict.Message, before.Tries + 1));
        await Reply.Write(context, state);
    }

    private async Task Export(HttpContext context)
    {
        var fields = await Body.Read(context);
        var name = LabFields.Text(fields, "name", MostCharacters);
        fields.RefuseOthers();
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(
            Evaluation.PageHtml.Render<ExerciseSheet>($"Exercises of {name}", new()
            {
                [nameof(ExerciseSheet.Name)] = name,
                [nameof(ExerciseSheet.States)] = States.ToDictionary(s => s.Key, s => (object)s.Value),
            }),
            context.RequestAborted);
    }

    /// <summary>Numbers as people type them, a percent sign and a minus of typographers included; null for
    /// none.</summary>
    private static double[]? Numbers(string text)
    {
        var parts = text.Replace('−', '-').Replace("%", "", StringComparison.Ordinal)
            .Split(Between, StringSplitOptions.RemoveEmptyEntries);
        var numbers = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i])
                || !double.IsFinite(numbers[i]))
            {
                return null;
            }
        }

        return numbers;
    }
}
