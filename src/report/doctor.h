/*
 * doctor.h - the doctor's checks as text and as JSON.
 */
#ifndef LIMPET_REPORT_DOCTOR_H
#define LIMPET_REPORT_DOCTOR_H

#include "report/text.h"
#include "target/doctor.h"

void text_doctor(struct str *o, enum text_style st, const struct doctor *d);
/* {"schema","limpet","pid","ok","checks":[{"name","ok","level","detail","todo"}]} */
void json_doc_doctor(struct str *o, const struct doctor *d);

#endif
