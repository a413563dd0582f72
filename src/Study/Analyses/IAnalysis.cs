namespace SafeLlama.Study;

/// <summary>One kind of analysis: which findings it gives, how they are computed, and what its figure shows.</summary>
public interface IAnalysis
{
    /// <summary>Names of its findings, as claims may give them.</summary>
    IReadOnlyList<string> Names(StudyAnalysis asked);

    /// <summary>One sentence for each error in what was asked.</summary>
    IEnumerable<string> Problems(StudyAnalysis asked, StudyRecipe recipe);

    /// <summary>Computes it from the answers of all arms.</summary>
    AnalysisResult Compute(StudyAnalysis asked, AnalysisData data);

    /// <summary>Its figures, the first one for a page, as SVG.</summary>
    IReadOnlyList<AnalysisFigure> Figures(StudyAnalysis asked, AnalysisResult result);
}

/// <summary>One figure.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Svg">The drawing, in the page's colors.</param>
/// <param name="Key">Names of its series, in order.</param>
public sealed record AnalysisFigure(string Title, string Svg, IReadOnlyList<string> Key);
